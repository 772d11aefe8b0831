begin;
select plan(17);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set nobody '''00000000-0000-4000-8000-000000000000'''
insert into auth.users (id, email_hash, password_hash)
values (:bob, 'bob@example.com-----------------', auth.hash_password('correct horse'));
select t.session_id as here
from auth.open_session(:bob, 'user', null, null, null) as t
\gset
select t.session_id as elsewhere
from auth.open_session(:bob, 'user', null, null, null) as t
\gset
select set_config('request.claims', jsonb_build_object('sub', :bob, 'sid', :'here')::text, true) as claims
\gset

-- What a person is answered, and the status that goes with it.
create function pg_temp.change(p_id uuid, p_old text, p_new text, out changed boolean, out status text)
language plpgsql
as $$
begin
    perform set_config('response.status', '', true);
    changed := auth.change_password(p_id, p_old, p_new);
    status := left(current_setting('response.status'), 3);
end
$$;

select
    results_eq(
        format('select * from pg_temp.change(%s)', refused.arguments), $$values (false, '403')$$, refused.description
    )
from (
    values
    (format($$%L, 'wrong horse', 'battery staple'$$, :bob), 'who doesn''t know the old password does not change it'),
    (format($$%L, '', 'battery staple'$$, :bob), 'nor who leaves it empty')
) as refused (arguments, description);
select throws_ok(format('select auth.change_password(%s)', bad.arguments), bad.code, bad.message, bad.description)
from (
    values
    (
        format($$%L, null, 'battery staple'$$, :bob), '22023', 'old_password must not be null',
        'none is no guess'
    ),
    (
        format($$%L, null, 'battery staple'$$, :nobody), '22023', 'old_password must not be null',
        'nor is it nobody''s'
    ),
    (
        format($$%L, 'correct horse', 'battery staple'$$, :nobody), 'PT404', 'there is no such account',
        'and nobody has no password'
    )
) as bad (arguments, code, message, description);
select is(
    (
        select count(*)
        from auth.audit_logs as al
        where al.action = 'password.refused'
    ), 2::bigint, 'each wrong guess leaves a trace, and nothing else does'
);
select is((select count(*) from auth.list_sessions(:bob)), 2::bigint, 'and ends no session');
select throws_ok(
    format($$select auth.change_password(%L, 'correct horse', 'short')$$, :bob), '22023',
    'password must have between 8 and 1000 characters',
    'a short new password is refused'
);

set local role aqm_user;
select is(
    auth.change_password(:bob, 'correct horse', 'battery staple'), true,
    'who knows it does, and is told so'
);
reset role;
select ok(auth.is_password('battery staple', u.password_hash), 'from then on the new one is good')
from auth.users as u;
select ok(u.password_hash !~ 'battery', 'and can''t be read in the table')
from auth.users as u;
select results_eq(
    format('select id from auth.list_sessions(%L)', :bob), array[:'here'::uuid],
    'whoever is logged in elsewhere is out, who changed it stays in'
);
select set_eq(
    'select session_id from gateway.list_revocations()', array[:'elsewhere'::uuid],
    'at every gateway'
);
select is(
    (
        select count(*)
        from auth.audit_logs as al
        where al.action = 'password.changed' and al.user_id = :bob
    ), 1::bigint, 'a change leaves a trace'
);

insert into auth.login_attempts (email_hash, is_success)
select
    'bob@example.com-----------------' as email_hash,
    false as is_success
from generate_series(1, 4);
select results_eq(
    format($$select * from pg_temp.change(%L, 'wrong horse', 'battery staple')$$, :bob), $$values (false, '403')$$,
    'a wrong old password counts like a refused login'
);
select throws_ok(
    format($$select auth.change_password(%L, 'battery staple', 'correct horse')$$, :bob),
    'PT429', 'too many refused logins: try again later',
    'who stole a token can''t guess on for long'
);
delete from auth.login_attempts;
update auth.users
set is_active = false;
select throws_ok(
    format($$select auth.change_password(%L, 'battery staple', 'correct horse')$$, :bob), 'PT404',
    'there is no such account', 'a locked account keeps its password'
);

select * from finish();
rollback;
