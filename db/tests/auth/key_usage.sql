begin;
select plan(3);

do $$ begin
    perform set_config('aqm.encryption_keys', format('1:%s,2:%s', repeat('e1', 32), repeat('e2', 32)), true);
    perform set_config('aqm.index_keys', format('1:%s,2:%s', repeat('11', 32), repeat('22', 32)), true);
end $$;
select is_empty('select * from auth.key_usage()', 'a new database has no keys');
do $$ begin
    perform auth.create_user('alice@example.org', 'correct horse', p_aadhaar => '123456789012');
    perform auth.use_data_key('encryption', 2);
    perform auth.create_user('bob@example.org', 'correct horse');
    perform auth.queue_email(u.id, 'welcome', p_secret => 'x'), auth.queue_email(u.id, 'welcome') from auth.users as u;
    delete from auth.data_keys as dk where dk.kind = 'index';
end $$;
insert into auth.data_keys (kind, version, is_current, proof)
values ('index', 7, true, sha256(''));
insert into auth.users (erased_at) values (now());
select results_eq(
    'select * from auth.key_usage()',
    $$values
    ('encryption', 1, false, 1::bigint, 0::bigint, 0::bigint),
    ('encryption', 2, true, 1, 0, 2),
    ('index', 1, null, 2, 1, 0),
    ('index', 7, true, 0, 0, 0)$$,
    'every version is shown that is known or used, and what was written with it'
);
set local role aqm_admin;
select throws_ok(
    'select auth.key_usage()', '42501', 'permission denied for function key_usage', 'keys are looked after by a DBA'
);

select * from finish();
rollback;
