begin;
select plan(5);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:alice), (:bob);
insert into auth.one_time_tokens (token_hash, user_id, purpose, expires_at)
values (sha256('1'), :alice, 'email_check', now()), (sha256('2'), :bob, 'email_check', now());
select auth.add_month('email_events', (now() at time zone 'UTC')::date) as made;
insert into auth.email_events (
    user_id, template, status, secret_encrypted, encryption_version, has_own_address, claimed_by
)
values
(:alice, 'waits', 'queued', '\x01', 1, false, null),
(:alice, 'is_claimed', 'queued', '\x01', 1, false, 'a worker'),
(:alice, 'to_old_address', 'queued', '\x01', 1, true, null),
(:alice, 'was_sent', 'sent', null, null, false, null),
(:bob, 'waits', 'queued', '\x01', 1, false, null);

select lives_ok(format('select auth.void_emails(%L)', :alice), 'what a person was sent can be made void');
select results_eq(
    'select user_id from auth.one_time_tokens', format('values (%L::uuid)', :bob), 'their tokens are, others'' are not'
);
select results_eq(
    'select template, status::text, secret_encrypted is null, claimed_by, given_up_at
    from auth.email_events order by id',
    $$values
    ('waits', 'failed', true, null, null::timestamptz), ('is_claimed', 'failed', true, null, null),
    ('to_old_address', 'queued', false, null, null), ('was_sent', 'sent', true, null, null),
    ('waits', 'queued', false, null, null)$$,
    'what waits is not sent, nor is it a worker''s fault; but what goes to an old address still goes'
);
select lives_ok('select auth.void_emails(null)', 'nobody has nothing to lose');
set local role aqm_admin;
select throws_ok(
    format('select auth.void_emails(%L)', :bob), '42501', 'permission denied for function void_emails',
    'it is for the functions that change an account'
);

select * from finish();
rollback;
