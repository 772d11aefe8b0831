begin;
select plan(3);

select auth.add_month('email_events', (now() at time zone 'UTC')::date) as made;
insert into auth.email_events (template, attempts, claimed_until, error, secret_encrypted, encryption_version)
values
('lost', 5, now(), null, '\x01', 1),
('refused', 5, now() - interval '1 day', 'no such mailbox', null, null),
('under_way', 5, now() + interval '1 second', null, '\x01', 1),
('again', 4, now() - interval '1 day', null, '\x01', 1),
('waiting', 0, null, null, '\x01', 1);
select lives_ok('select auth.give_up_emails()', 'emails may be given up');
select results_eq(
    'select template, status::text, error, secret_encrypted is null, given_up_at from auth.email_events order by id',
    $$values
    ('lost', 'failed', 'the worker gave no answer', true, now()), ('refused', 'failed', 'no such mailbox', true, now()),
    ('under_way', 'queued', null, false, null),
    ('again', 'queued', null, false, null), ('waiting', 'queued', null, false, null)$$,
    'those that five workers lost fail, and their secret is gone'
);
set local role aqm_admin;
select throws_ok(
    'select auth.give_up_emails()', '42501', 'permission denied for function give_up_emails',
    'it is for auth.claim_email_events() alone'
);

select * from finish();
rollback;
