begin;
select plan(8);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set eve '''e5e00000-0000-4000-8000-000000000000'''
do $$ begin
    perform set_config('aqm.encryption_keys', format('1:%s,2:%s', repeat('e1', 32), repeat('e2', 32)), true);
    perform set_config('aqm.index_keys', format('1:%s,2:%s', repeat('11', 32), repeat('22', 32)), true);
end $$;
insert into auth.users (id, email_encrypted, name_encrypted, username, encryption_version)
values
(:bob, auth.encrypt_text('bob@example.com', 1), auth.encrypt_text('Bob', 1), 'bob', 1),
(:eve, auth.encrypt_text('eve@example.com', 2), null, null, 2);

set local role aqm_user;
select results_eq(
    format('select * from auth.find_user(%L)', :bob),
    format(
        $$values (
            %L::uuid, 'bob@example.com', 'Bob', 'bob', 'pending'::auth.kyc_status, true, null::uuid, null::timestamptz,
            now(), now()
        )$$, :bob
    ),
    'a person sees what is known of them'
);
set local role aqm_admin;
select results_eq(
    format('select email, name, username from auth.find_user(%L)', :eve),
    $$values ('eve@example.com', null, null)$$,
    'an administrator too, whichever version of the key it was written with'
);
select is_empty('select auth.find_user(gen_random_uuid())', 'there is nothing to see of nobody');
select is_empty('select auth.find_user(null)', 'nor of no one');
reset role;
update auth.users
set is_active = false
where id = :eve;
select is(
    (select u.is_active from auth.find_user(:eve) as u), false,
    'an account that was locked is seen to be'
);
update auth.users
set deleted_at = now()
where id = :eve;
select is_empty(format('select auth.find_user(%L)', :eve), 'one that was deleted is not seen');

set local "aqm.encryption_keys" = '2:e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2';
select throws_ok(
    format('select auth.find_user(%L)', :bob), 'PT503', 'the encryption key 1 is missing',
    'without the key that it was written with nobody is shown'
);
set local role aqm_device;
select throws_ok(
    format('select auth.find_user(%L)', :bob), '42501', 'permission denied for function find_user',
    'a device doesn''t see who it belongs to'
);

select * from finish();
rollback;
