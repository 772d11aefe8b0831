begin;
select plan(9);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
insert into auth.users (id, email_hash, password_hash)
values (:bob, 'bob@example.com-----------------', auth.hash_password('correct horse'));
set local "request.address" = '2001:db8::7';

select is(auth.confirm_password(:bob, 'correct horse'), true, 'a person''s password is confirmed');
select is(auth.confirm_password(:bob, 'wrong horse'), false, 'another is not');
select is(auth.confirm_password(:bob, ''), false, 'nor an empty one');
select throws_ok(format('select auth.confirm_password(%s)', bad.arguments), bad.code, bad.message, bad.description)
from (
    values
    (format('%L, null', :bob), '22023', 'password must not be null', 'no password is no guess'),
    (format('%L, repeat(''x'', 1001)', :bob), '22023', 'password must have at most 1000 characters', 'nor is a book'),
    ($$gen_random_uuid(), 'correct horse'$$, 'PT404', 'there is no such account', 'nobody has none')
) as bad (arguments, code, message, description);
select results_eq(
    'select user_id, address, is_success from auth.login_attempts order by id',
    format(
        $$values
        (%L::uuid, inet '2001:db8::/64', true), (%1$L, '2001:db8::/64', false), (%1$L, '2001:db8::/64', false)$$,
        :bob
    ),
    'each try counts with the logins'
);
select is(
    (
        select count(*) from auth.audit_logs as al
        where al.action = 'password.refused'
    ), 2::bigint,
    'wrong guesses leave a trace, and nothing else does'
);
insert into auth.login_attempts (email_hash, is_success)
select
    'bob@example.com-----------------' as email_hash,
    false as is_success
from generate_series(1, 5);
select throws_ok(
    format($$select auth.confirm_password(%L, 'correct horse')$$, :bob), 'PT429',
    'too many refused logins: try again later', 'after too many even the right one has to wait'
);

select * from finish();
rollback;
