begin;
select plan(36);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
do $$ begin
    perform set_config('aqm.encryption_keys', format('1:%s,2:%s', repeat('e1', 32), repeat('e2', 32)), true);
    perform set_config('aqm.index_keys', format('1:%s,2:%s', repeat('11', 32), repeat('22', 32)), true);
end $$;
do $$ begin
    perform auth.use_data_key('index', 1);
    perform auth.use_data_key('index', 2);
end $$;
insert into auth.users (id, email_hash, password_hash)
values
(:bob, auth.blind_index('bob@example.com', 1), auth.hash_password('correct horse')),
(:alice, auth.blind_index('alice@example.com', 2), auth.hash_password('battery staple'));

-- What a person gets: for whom the token is, and the status of a refusal.
create function pg_temp.try(
    p_email text, p_password text, p_role text default 'user', out subject uuid, out status text
)
language plpgsql
as $$
begin
    perform set_config('response.status', '', true);
    select t.subject into subject
    from auth.login(p_email, p_password, p_role, case p_role when 'device' then 'phone' end) as t;
    status := left(current_setting('response.status'), 3);
end
$$;

set local "request.address" = '192.0.2.1';
select
    results_eq(
        format('select * from pg_temp.try(%s)', tries.arguments),
        format('values (%L::uuid, %L)', tries.subject, tries.status), tries.description
    )
from (
    values
    ($$'bob@example.com', 'correct horse'$$, :bob, '', 'who knows the password is let in'),
    ($$' Bob@EXAMPLE.com', 'correct horse'$$, :bob, '', 'however they write their address'),
    ($$'alice@example.com', 'battery staple'$$, :alice, '', 'whichever version of the index key it was written with'),
    ($$'bob@example.com', 'Correct horse'$$, null, '401', 'who doesn''t know it is not'),
    (format($$'bob@example.com', %L$$, repeat('p', 1000)), null, '401', 'however long a guess they make'),
    ($$'bob@example.com', ''$$, null, '401', 'nor who has none'),
    ($$'eve@example.com', 'correct horse'$$, null, '401', 'an unknown address is answered like a wrong password'),
    ($$'bob@example.com', 'correct horse', 'admin'$$, null, '403', 'who is no administrator is not let in as one'),
    ($$'bob@example.com', 'correct horse', 'worker'$$, null, '403', 'nor is who is no worker'),
    ($$'bob@example.com', 'wrong', 'admin'$$, null, '401', 'and is not told so without the password')
) as tries (arguments, subject, status, description);
select results_eq(
    $$select action, user_id, address from auth.audit_logs
    where action ~ '^(login|session)' order by id$$,
    format(
        $$values
        ('session.opened', %1$L::uuid, '192.0.2.1'::inet), ('session.opened', %1$L, '192.0.2.1'),
        ('session.opened', %2$L, '192.0.2.1'), ('login.refused', %1$L, '192.0.2.1'),
        ('login.refused', %1$L, '192.0.2.1'), ('login.refused', %1$L, '192.0.2.1'),
        ('login.refused', null, '192.0.2.1'),
        ('login.role_refused', %1$L, '192.0.2.1'),
        ('login.role_refused', %1$L, '192.0.2.1'), ('login.refused', %1$L, '192.0.2.1')$$,
        :bob, :alice
    ),
    'every try leaves a trace'
);
select results_eq(
    'select is_success, count(*), count(distinct email_hash), bool_and(address = $$192.0.2.1$$)
    from auth.login_attempts group by is_success order by is_success',
    $$values (false, 5::bigint, 2::bigint, true), (true, 5, 2, true)$$,
    'and counts, for known and unknown addresses alike'
);
create view pg_temp.held as
select count(*) as locks
from pg_locks
where pid = pg_backend_pid() and locktype = 'advisory' and mode = 'ExclusiveLock' and granted;
select locks as before from pg_temp.held
\gset
select lives_ok($$select auth.login('mallory@example.com', 'x')$$, 'another may try');
select is(
    (select locks from pg_temp.held), :before + 1::bigint,
    'tries for one address come one after the other, or guesses at once would be counted too late'
);
select is_empty(
    $$select 1 from auth.audit_logs as al where al::text ~* 'example|horse|staple'
    union all
    select 1 from auth.login_attempts as la where la::text ~* 'example|horse|staple'$$,
    'nobody reads who tried, or what'
);

select is(
    (select t.subject from pg_temp.try('bob@example.com', 'correct horse', 'device') as t),
    auth.device_id(:bob, 'phone'), 'a device is let in as its key store'
);
insert into auth.user_roles (user_id, product_domain, role) values (:bob, 'aqm', 'admin');
select is(
    (select t.status from pg_temp.try('bob@example.com', 'correct horse', 'worker') as t), '403',
    'an administrator is no worker'
);
select is(
    (
        select t.access_token ->> 'role'
        from auth.login('bob@example.com', 'correct horse', 'admin') as t
    ), 'admin', 'who is an administrator is let in as one'
);
update auth.user_roles
set role = 'worker';
select is(
    (
        select t.access_token ->> 'role'
        from auth.login('bob@example.com', 'correct horse', 'worker') as t
    ), 'worker', 'a worker is let in as one'
);
update auth.user_roles
set is_active = false;
select is(
    (select t.status from pg_temp.try('bob@example.com', 'correct horse', 'admin') as t), '403',
    'until they are none any more'
);

select throws_ok(format('select auth.login(%s)', bad.arguments), '22023', bad.message, bad.description)
from (
    values
    ($$'bob', 'correct horse'$$, 'email must be an email address', 'an address is needed'),
    ($$null, 'correct horse'$$, 'email must be an email address', 'none is none'),
    ($$'bob@example.com', null$$, 'password must have at most 1000 characters', 'a password is needed'),
    (
        $$'bob@example.com', repeat('p', 1001)$$, 'password must have at most 1000 characters',
        'one without end is not hashed'
    ),
    ($$'bob@example.com', 'x', 'root'$$, 'role must be device, user, worker or admin', 'an unknown role is refused'),
    ($$'bob@example.com', 'x', null$$, 'role must be device, user, worker or admin', 'and none'),
    (
        $$'bob@example.com', 'x', 'device'$$, 'device_name must be there for role device, and for no other',
        'a device has a name'
    ),
    (
        $$'bob@example.com', 'x', 'user', 'phone'$$, 'device_name must be there for role device, and for no other',
        'a person is no device'
    ),
    (
        $$'bob@example.com', 'x', p_device_type => repeat('t', 51)$$, 'device_type must have between 1 and 50 bytes',
        'a client does not tell of itself without end'
    )
) as bad (arguments, message, description);

delete from auth.login_attempts;
insert into auth.login_attempts (email_hash, is_success)
select
    auth.blind_index('bob@example.com', 1) as email_hash,
    false as is_success
from generate_series(1, 4);
select is((select t.status from pg_temp.try('bob@example.com', 'wrong') as t), '401', 'a fifth refusal is one');
select throws_ok(
    $$select auth.login('bob@example.com', 'correct horse')$$, 'PT429', 'too many refused logins: try again later',
    'after it the account is locked, whoever has the password, while the index key changes as well'
);
select is(
    (select t.status from pg_temp.try('alice@example.com', 'battery staple') as t), '', 'others still get in'
);
delete from auth.login_attempts;
update auth.users
set is_active = false
where id = :alice;
update auth.users
set deleted_at = now()
where id = :bob;
select is(
    (select t.status from pg_temp.try('alice@example.com', 'battery staple') as t), '401',
    'an account that was locked lets nobody in'
);
select is(
    (select t.status from pg_temp.try('bob@example.com', 'correct horse') as t), '401',
    'nor does one that was deleted'
);
set local role aqm_anon;
select lives_ok($$select auth.login('eve@example.com', 'x')$$, 'whoever has no token may try');
reset role;
set local "aqm.index_keys" = '';
select throws_ok(
    $$select auth.login('alice@example.com', 'battery staple')$$, 'PT503', 'the index keys are missing',
    'without the keys nobody gets in'
);

select * from finish();
rollback;
