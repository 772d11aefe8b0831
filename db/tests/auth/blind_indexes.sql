begin;
select plan(8);

do $$ begin
    perform set_config('aqm.encryption_keys', format('1:%s,2:%s', repeat('e1', 32), repeat('e2', 32)), true);
    perform set_config('aqm.index_keys', format('1:%s,2:%s', repeat('11', 32), repeat('22', 32)), true);
end $$;
select is(auth.blind_indexes('bob@example.com'), '{}', 'in a new database nobody can be found');

select lives_ok($$select auth.use_data_key('index', 1)$$, 'an index key comes into use');
select is(
    auth.blind_indexes('bob@example.com'), array[auth.blind_index('bob@example.com', 1)],
    'with one key a value is looked for under one hash'
);
select lives_ok($$select auth.use_data_key('encryption', 2)$$, 'an encryption key comes into use');
select lives_ok($$select auth.use_data_key('index', 2)$$, 'the index key is changed');
select set_eq(
    $$select unnest(auth.blind_indexes('bob@example.com'))$$,
    array[auth.blind_index('bob@example.com', 1), auth.blind_index('bob@example.com', 2)],
    'while keys change a value is looked for under both, and encryption keys don''t matter'
);
select is(
    (select 'anyone'::bytea = any(auth.blind_indexes(null))), null,
    'what is not told finds nobody'
);
set local "aqm.index_keys" = '2:2222222222222222222222222222222222222222222222222222222222222222';
select throws_ok(
    $$select auth.blind_indexes('bob@example.com')$$, 'PT503', 'the index key 1 is missing',
    'nobody is overlooked because a key in use was not given'
);

select * from finish();
rollback;
