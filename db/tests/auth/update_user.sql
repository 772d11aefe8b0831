begin;
select plan(18);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set eve '''e5e00000-0000-4000-8000-000000000000'''
\set company '''c0000000-0000-4000-8000-000000000000'''
do $$ begin
    perform set_config('aqm.encryption_keys', format('1:%s,2:%s', repeat('e1', 32), repeat('e2', 32)), true);
    perform set_config('aqm.index_keys', format('1:%s,2:%s', repeat('11', 32), repeat('22', 32)), true);
end $$;
do $$ begin
    perform auth.use_data_key('index', 1);
    perform auth.use_data_key('index', 2);
end $$;
insert into auth.companies (id, name) values (:company, 'Coins Ltd');
insert into auth.users (id, email_hash, email_encrypted, username, email_verified_at, encryption_version, index_version)
values
(
    :bob, auth.blind_index('bob@example.com', 1), auth.encrypt_text('bob@example.com', 1), 'bob', now(), 1, 1
),
(:eve, auth.blind_index('eve@example.com', 2), auth.encrypt_text('eve@example.com', 2), 'eve', now(), 2, 2);

create view pg_temp.bob as
select u.*
from auth.find_user('b0b00000-0000-4000-8000-000000000000') as u;

set local role aqm_user;
select is(
    (select u.name from auth.update_user(:bob, p_name => 'Bob Builder') as u), 'Bob Builder',
    'a person may tell their name'
);
reset role;
select results_eq(
    'select email, name, username, email_verified_at from pg_temp.bob',
    $$values ('bob@example.com', 'Bob Builder', 'bob', now())$$,
    'what was not named stays as it was'
);
select is_empty(
    $$select 1 from auth.users where encode(name_encrypted, 'escape') ~* 'builder'$$,
    'a name can''t be read in the table'
);
select results_eq(
    format($$select username, first_company_id from auth.update_user(%L, null, 'bobby', %L)$$, :bob, :company),
    format($$values ('bobby', %L::uuid)$$, :company),
    'a person may take another username, and a company'
);
select results_eq(
    $$select detail from auth.audit_logs where action = 'user.changed' order by id$$,
    $$values
    ('{"fields": ["name"]}'::jsonb), ('{"fields": ["username", "first_company_id"]}')$$,
    'the audit knows what was changed, and not to what'
);
update auth.users
set updated_at = now() - interval '1 day'
where id = :bob;
select results_eq(
    format('select username from auth.update_user(%L)', :bob), $$values ('bobby')$$,
    'who changes nothing is told how things are'
);
select is(
    (
        select u.updated_at
        from auth.users as u
        where u.id = :bob
    ), now() - interval '1 day', 'and has changed nothing'
);
select is(
    (
        select count(*)
        from auth.audit_logs as al
        where al.action = 'user.changed'
    ), 2::bigint, 'nor left a trace'
);

select
    throws_ok(
        format('select auth.update_user(%L, %s)', :bob, bad.arguments), bad.code, bad.message, bad.description
    )
from (
    values
    (
        $$p_username => 'eve'$$, 'PT409', 'there is an account with this username', 'nobody takes another''s username'
    ),
    ($$p_name => ''$$, '22023', 'name must have between 1 and 400 bytes', 'a name is not empty'),
    ($$p_name => repeat('n', 401)$$, '22023', 'name must have between 1 and 400 bytes', 'and has an end'),
    (
        $$p_username => 'b'$$, '22023', 'username must have 2 to 63 of a-z, 0-9, dot, dash and underscore',
        'a username has two letters'
    ),
    (
        $$p_first_company_id => gen_random_uuid()$$, '22023', 'first_company_id must be a company',
        'a company is one'
    )
) as bad (arguments, code, message, description);
select is(
    (select u.name || u.username from auth.update_user(:bob, p_name => 'B', p_username => '0b-9_.') as u), 'B0b-9_.',
    'a name of one letter is one, and a username may have digits and signs'
);
select is_empty($$select auth.update_user(gen_random_uuid(), p_name => 'Nobody')$$, 'nobody is not changed');
update auth.users
set deleted_at = now()
where id = :eve;
select is_empty(format($$select auth.update_user(%L, p_name => 'Eve')$$, :eve), 'nor is who was deleted');
select is(
    (
        select count(*)
        from auth.audit_logs as al
        where al.action = 'user.changed'
    ), 3::bigint, 'and nothing is said to have changed'
);
set local "aqm.encryption_keys" = '';
select throws_ok(
    format($$select auth.update_user(%L, 'Bob')$$, :bob), 'PT503', 'the encryption keys are missing',
    'without the keys no name is changed'
);

select * from finish();
rollback;
