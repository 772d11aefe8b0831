begin;
select plan(14);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set nobody '''00000000-0000-4000-8000-000000000000'''
insert into auth.users (id, email_hash, password_hash)
values (:bob, 'bob@example.com-----------------', auth.hash_password('correct horse'));
select t.session_id as session
from auth.open_session(:bob, 'user', null, null, null) as t
\gset

-- What a person is answered, and the status that goes with it.
create function pg_temp.close(p_id uuid, p_password text, out closed boolean, out status text)
language plpgsql
as $$
begin
    perform set_config('response.status', '', true);
    closed := auth.close_account(p_id, p_password);
    status := left(current_setting('response.status'), 3);
end
$$;

select
    results_eq(
        format('select * from pg_temp.close(%s)', refused.arguments), $$values (false, '403')$$, refused.description
    )
from (
    values
    (format($$%L, 'wrong horse'$$, :bob), 'who doesn''t know the password deletes nothing'),
    (format($$%L, ''$$, :bob), 'nor who leaves it empty')
) as refused (arguments, description);
select throws_ok(format('select auth.close_account(%s)', bad.arguments), bad.code, bad.message, bad.description)
from (
    values
    (format('%L, null', :bob), '22023', 'password must not be null', 'none is no guess'),
    (format($$%L, 'correct horse'$$, :nobody), 'PT404', 'there is no such account', 'nobody has no account'),
    ($$null, 'correct horse'$$, 'PT404', 'there is no such account', 'nor has no one')
) as bad (arguments, code, message, description);
select is(
    (
        select count(*)
        from auth.audit_logs as al
        where al.action = 'password.refused'
    ), 2::bigint, 'each wrong guess leaves a trace, and nothing else does'
);
select is((select count(*) from auth.list_sessions(:bob)), 1::bigint, 'and changes nothing');

insert into auth.login_attempts (email_hash, is_success)
select
    'bob@example.com-----------------' as email_hash,
    false as is_success
from generate_series(1, 3);
select throws_ok(
    format($$select auth.close_account(%L, 'correct horse')$$, :bob),
    'PT429', 'too many refused logins: try again later',
    'refusals count like those of logins: who stole a token can''t guess on'
);
delete from auth.login_attempts;

set local role aqm_user;
select results_eq(
    format($$select auth.close_account(%L, 'correct horse')$$, :bob), array[true], 'who knows the password does'
);
reset role;
select is_empty(format('select auth.find_user(%L)', :bob), 'the account is gone');
select set_eq(
    'select session_id from gateway.list_revocations()', array[:'session'::uuid], 'gateways refuse its tokens'
);
select throws_ok(
    format($$select auth.close_account(%L, 'correct horse')$$, :bob), 'PT404', 'there is no such account',
    'it is deleted once'
);
select
    throws_ok(
        format($$set local role %s; select auth.close_account(%L, 'correct horse')$$, other.role, :bob), '42501',
        'permission denied for function close_account', format('%s may not', other.role)
    )
from (values ('aqm_device'), ('aqm_admin')) as other (role);

select * from finish();
rollback;
