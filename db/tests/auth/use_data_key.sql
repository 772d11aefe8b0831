begin;
select plan(19);

do $$ begin
    perform set_config('aqm.encryption_keys', format('1:%s,2:%s', repeat('e1', 32), repeat('e2', 32)), true);
    perform set_config('aqm.index_keys', format('1:%s,2:%s', repeat('11', 32), repeat('22', 32)), true);
end $$;
create view pg_temp.used as
select
    dk.kind,
    dk.version,
    dk.is_current
from auth.data_keys as dk;

select lives_ok($$select auth.use_data_key('encryption', 1)$$, 'an operator begins with a key');
select lives_ok($$select auth.use_data_key('encryption', 1)$$, 'saying so twice does no harm');
select set_eq('select * from pg_temp.used', $$values ('encryption', 1, true)$$, 'it is the one that is written with');
select lives_ok($$select auth.use_data_key('encryption', 2)$$, 'an operator changes to another key');
select set_eq(
    'select * from pg_temp.used', $$values ('encryption', 1, false), ('encryption', 2, true)$$,
    'it is written with alone; the one before is still known'
);
select lives_ok($$select auth.use_data_key('index', 1)$$, 'the other kind has versions of its own');
select lives_ok($$select auth.use_data_key('encryption', 1)$$, 'an operator may go back');
select set_eq(
    'select * from pg_temp.used', $$values ('encryption', 1, true), ('encryption', 2, false), ('index', 1, true)$$,
    'and the key before is written with again'
);
select results_eq(
    $$select al.detail ->> 'kind', al.detail ->> 'version' from auth.audit_logs as al
    where al.action = 'data_key.used' order by al.id$$,
    $$values ('encryption', '1'), ('encryption', '2'), ('index', '1'), ('encryption', '1')$$,
    'each change leaves a trace, and a repetition none'
);
select is_empty(
    $$select 1 from auth.data_keys as dk where dk.proof::text ~ 'e1e1|e2e2|1111'
    union all
    select 1 from auth.audit_logs as al where al::text ~ 'e1e1|e2e2|1111'$$,
    'no key is written down'
);

select throws_ok(format('select auth.use_data_key(%s)', bad.arguments), bad.code, bad.message, bad.description)
from (
    values
    ($$'signing', 1$$, '22023', 'kind must be encryption or index', 'an unknown kind is refused'),
    ('null, 1', '22023', 'kind must be encryption or index', 'a kind is needed'),
    ($$'index', 0$$, '22023', 'version must be between 1 and 32767', 'versions begin at 1'),
    ($$'index', 32768$$, '22023', 'version must be between 1 and 32767', 'and end'),
    ($$'index', null$$, '22023', 'version must be between 1 and 32767', 'a version is needed'),
    ($$'index', 3$$, 'PT503', 'the index key 3 is missing', 'a key that was not given can''t be used')
) as bad (arguments, code, message, description);
do $$ begin perform set_config('aqm.encryption_keys', format('2:%s', repeat('bad0', 16)), true); end $$;
select throws_ok(
    $$select auth.use_data_key('encryption', 2)$$, 'PT503',
    'the encryption key 2 is not the one that the data was written with',
    'nor can another key under a version that was used'
);
select set_eq(
    'select * from pg_temp.used', $$values ('encryption', 1, true), ('encryption', 2, false), ('index', 1, true)$$,
    'a refusal changes nothing'
);
set local role aqm_admin;
select throws_ok(
    $$select auth.use_data_key('index', 1)$$, '42501', 'permission denied for function use_data_key',
    'an administrator over HTTP changes no keys'
);

select * from finish();
rollback;
