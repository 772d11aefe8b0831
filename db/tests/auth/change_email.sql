begin;
select plan(24);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
do $$ begin
    perform set_config('aqm.encryption_keys', '1:' || repeat('e1', 32), true);
    perform set_config('aqm.index_keys', format('1:%s,2:%s', repeat('11', 32), repeat('22', 32)), true);
end $$;
select auth.use_data_key('index', 1) as done \gset
select auth.create_user('eve@example.com', 'correct horse') as eve \gset
insert into auth.users (
    id, email_hash, email_encrypted, password_hash, email_verified_at, encryption_version, index_version
)
values (
    :bob, auth.blind_index('bob@example.com', 1), auth.encrypt_text('bob@example.com', 1),
    auth.hash_password('correct horse'), now(), 1, 1
);
insert into auth.one_time_tokens (token_hash, user_id, purpose, expires_at)
values (sha256('mailed'), :bob, 'password_reset', now() + interval '1 hour');
do $$ begin
    perform auth.queue_email('b0b00000-0000-4000-8000-000000000000', 'password_reset', p_secret => 'mailed');
end $$;

-- In psql, and with an admin's token, no password is asked.
select results_eq(
    format($$select email, email_verified_at from auth.change_email(%L, ' BOB@example.com')$$, :bob),
    $$values ('bob@example.com', now())$$,
    'who tells their address again need not verify it again'
);
select is_empty(
    $$select 1 from auth.audit_logs where action = 'email.changed'
    union all
    select 1 from auth.users where email_assigned_at is not null
    union all
    select 1 from auth.email_events where template = 'email_changed'$$,
    'and has changed nothing'
);
select results_eq(
    format($$select email, email_verified_at from auth.change_email(%L, 'Bob@Example.org')$$, :bob),
    $$values ('bob@example.org', null::timestamptz)$$,
    'a new address has yet to prove itself'
);
select is(
    (
        select u.id from auth.users as u
        where u.email_hash = any(auth.blind_indexes('bob@example.org'))
    ), :bob::uuid,
    'and the person logs in by it'
);
select is_empty(
    $$select 1 from auth.users as u where u.email_hash = any(auth.blind_indexes('bob@example.com'))$$,
    'but no longer by the one before'
);
select is_empty('select 1 from auth.one_time_tokens', 'what was sent to the old address is good no more');
select results_eq(
    $$select user_id, detail from auth.audit_logs where action = 'email.changed' order by id$$,
    format($$values (%L::uuid, '{}'::jsonb)$$, :bob),
    'the audit knows that it was changed, and not to what'
);
select results_eq(
    'select template, status::text from auth.email_events order by id',
    $$values ('password_reset', 'failed'), ('email_changed', 'queued')$$,
    'what was to be sent to the old address is not sent to the new one'
);
select results_eq(
    'select email, template, secret from auth.claim_email_events()',
    $$values ('bob@example.com', 'email_changed', null::text)$$, 'but the old one is told'
);
do $$ begin
    perform auth.request_password_reset('bob@example.org');
end $$;
select is_empty(
    'select 1 from auth.one_time_tokens', 'whoever assigned a new one does not have the password by it at once'
);

-- To and fro, as one who wants nobody to notice.
update auth.email_events set claimed_until = null;
do $$ begin
    perform auth.change_email('b0b00000-0000-4000-8000-000000000000', 'bob@example.com');
    perform auth.request_password_reset('bob@example.com');
    perform auth.change_email('b0b00000-0000-4000-8000-000000000000', 'mallory@example.com');
    perform auth.change_email('b0b00000-0000-4000-8000-000000000000', 'bob@example.com');
    perform auth.change_email('b0b00000-0000-4000-8000-000000000000', 'bob@example.org');
end $$;
select results_eq(
    'select email, template from auth.claim_email_events()',
    $$values
    ('bob@example.com', 'email_changed'), ('bob@example.org', 'email_changed'), ('bob@example.com', 'email_changed')$$,
    'no change takes the news of another back, and three a day are sent at most'
);
select is_empty('select 1 from auth.one_time_tokens', 'to change it back does not help');
select
    throws_ok(
        format('select auth.change_email(%L, %L)', :bob, bad.email), bad.code, bad.message, bad.description
    )
from (
    values
    ('eve@example.com', 'PT409', 'there is an account with this email', 'nobody takes another''s address'),
    ('bob', '22023', 'email must be an email address', 'an address is one'),
    (null, '22023', 'email must be an email address', 'and is not taken away')
) as bad (email, code, message, description);
select is_empty($$select auth.change_email(gen_random_uuid(), 'x@example.com')$$, 'nobody has no address');

select is_empty(
    $$select 1 from auth.audit_logs where action = 'password.refused'$$, 'nobody''s password was asked for'
);

set local "request.claims" = '{"sub": "b0b00000-0000-4000-8000-000000000000", "role": "user"}';
select throws_ok(
    format($$select auth.change_email(%L, 'mallory@example.com')$$, :bob), '22023', 'password must not be null',
    'a token that was stolen is not enough'
);
select is_empty(
    format($$select auth.change_email(%L, 'mallory@example.com', 'wrong horse')$$, :bob),
    'nor with a guess'
);
select is(current_setting('response.status'), '403 the password is wrong', 'and is told so');
select is(
    (select u.email from auth.change_email(:bob, 'bob@example.net', 'correct horse') as u), 'bob@example.net',
    'who knows the password changes their address'
);
select isnt_empty(
    $$select 1 from auth.audit_logs where action = 'password.refused'$$, 'a refusal leaves a trace'
);

update auth.users set email_assigned_at = now() - interval '24 hours';
delete from auth.email_events;
do $$ begin
    perform auth.change_email('b0b00000-0000-4000-8000-000000000000', 'bob@example.com', 'correct horse');
    perform auth.request_password_reset('bob@example.com');
end $$;
select results_eq(
    'select template from auth.email_events order by id', $$values ('email_changed'), ('password_reset')$$,
    'who changed it with the password is told, too, and need not wait for another'
);
set local "request.claims" = '{"sub": "b0b00000-0000-4000-8000-00000000000b", "role": "user"}';
select throws_ok(
    $$select auth.change_email('b0b00000-0000-4000-8000-00000000000b', 'x@example.com', 'correct horse')$$, 'PT404',
    'there is no such account', 'a token of nobody''s changes nothing'
);

select * from finish();
rollback;
