begin;
select plan(9);

do $$ begin
    perform set_config('aqm.encryption_keys', format('1:%s,2:%s', repeat('e1', 32), repeat('e2', 32)), true);
    perform set_config('aqm.index_keys', format('1:%s,2:%s', repeat('11', 32), repeat('22', 32)), true);
end $$;
select is(auth.current_key('index'), 1, 'a new database begins with the first key');
select is(auth.current_key('index'), 1, 'and goes on with it');
select set_eq(
    'select kind, version, is_current from auth.data_keys', $$values ('index', 1, true)$$,
    'the other kind is not begun by it'
);
select is(auth.current_key('encryption'), 1, 'each kind has its own');
select lives_ok($$select auth.use_data_key('index', 2)$$, 'an operator changes the index key');
select is(auth.current_key('index'), 2, 'from then on the newer one is written with');
select is(auth.current_key('encryption'), 1, 'and the other kind stays');

delete from auth.data_keys;
set local "aqm.index_keys" = '';
select throws_ok(
    $$select auth.current_key('index')$$, 'PT503', 'the index keys are missing',
    'a new database does not begin without keys'
);
select is_empty('select kind from auth.data_keys', 'and then has none');

select * from finish();
rollback;
