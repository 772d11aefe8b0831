begin;
select plan(28);

select auth.add_month('email_events', (now() at time zone 'UTC')::date) as made;
set local "request.claims" = '{"sub": "a worker"}';
insert into auth.email_events (template, attempts, claimed_by, claimed_until, secret_encrypted, encryption_version)
values
('sent', 1, 'a worker', now() + interval '1 minute', '\x01', 1),
('first', 1, 'a worker', now() + interval '1 minute', '\x01', 1),
('second', 2, 'a worker', now() + interval '1 minute', '\x01', 1),
('fourth', 4, 'a worker', now() + interval '1 minute', '\x01', 1),
('fifth', 5, 'a worker', now() + interval '1 minute', '\x01', 1),
('others', 1, 'another worker', now() + interval '1 minute', '\x01', 1),
('late', 1, 'a worker', now(), '\x01', 1),
('waiting', 0, null, null, '\x01', 1);
create function pg_temp.settle(p_template text, p_is_sent boolean, p_error text default null)
returns text
language sql
as $$
select auth.settle_email_event(ee.id, ee.created_at, p_is_sent, p_error)::text
from auth.email_events as ee
where ee.template = p_template
$$;

select throws_ok(
    $$select pg_temp.settle('sent', null)$$, '22023', 'is_sent must not be null', 'a worker knows what became of it'
);
select throws_ok(
    format($$select pg_temp.settle('sent', false, %L)$$, repeat('x', 401)), '22023',
    'error must have at most 400 bytes', 'an error is short'
);
select throws_ok(
    $$select pg_temp.settle('waiting', true)$$, 'PT404', 'there is no such email that you have claimed',
    'what nobody claimed, nobody sent'
);
select throws_ok(
    'select auth.settle_email_event(0, now(), true)', 'PT404', 'there is no such email that you have claimed',
    'nor what there is not'
);
select throws_ok(
    'select auth.settle_email_event(null, null, true)', 'PT404', 'there is no such email that you have claimed',
    'and something must be named'
);

select throws_ok(
    $$select pg_temp.settle('others', true)$$, 'PT404', 'there is no such email that you have claimed',
    'what another worker has is nothing to this one'
);
select throws_ok(
    $$select pg_temp.settle('late', true)$$, 'PT409', 'the lease is over: whoever claims the email next sends it',
    'whoever took too long is told that it is sent again'
);
select is(pg_temp.settle('sent', true), 'sent', 'an email that was sent is sent');
select is(pg_temp.settle('first', false, 'mailbox is full'), 'queued', 'one that was not is tried again');
select throws_ok(
    $$select pg_temp.settle('first', true)$$, 'PT404', 'there is no such email that you have claimed',
    'which is for who claims it next'
);
select is(pg_temp.settle('second', false), 'queued', 'and again');
select is(pg_temp.settle('fourth', false), 'queued', 'and again');
select is(pg_temp.settle('fifth', false, repeat('x', 400)), 'failed', 'five times');
select results_eq(
    $$select template, claimed_until - now(), sent_at - now() from auth.email_events
    where claimed_by is null order by id$$,
    $$values
    ('sent', null, interval '0'), ('first', interval '1 minute', null), ('second', '2 minutes', null),
    ('fourth', '8 minutes', null), ('fifth', null, null), ('waiting', null, null)$$,
    'each time it rests twice as long'
);
select results_eq(
    'select template from auth.email_events where given_up_at = now()', $$values ('fifth')$$,
    'that one was given up is seen'
);
select results_eq(
    $$select actor, action, detail ->> 'template' from auth.audit_logs order by id$$,
    $$values ('a worker', 'email.sent', 'sent'), ('a worker', 'email.failed', 'fifth')$$,
    'the audit has who settled what, but no tries'
);
select is_empty($$select 1 from auth.audit_logs as al where al::text ~ 'mailbox'$$, 'nor what a worker wrote');
select results_eq(
    'select template, octet_length(error) from auth.email_events where error is not null order by id',
    $$values ('first', 15), ('fifth', 400)$$, 'why is kept'
);
select results_eq(
    'select template from auth.email_events where secret_encrypted is null order by id',
    $$values ('sent'), ('fifth')$$, 'the secret is not, when it is of no use any more'
);
select throws_ok(
    $$select pg_temp.settle('sent', false)$$, 'PT404', 'there is no such email that you have claimed',
    'what was sent stays sent'
);
select throws_ok(
    $$select pg_temp.settle('fifth', true)$$, 'PT404', 'there is no such email that you have claimed',
    'and what failed has failed'
);
select
    throws_ok(
        format('set local role %s; select auth.settle_email_event(1, now(), true)', other.role), '42501',
        'permission denied for function settle_email_event', format('%s may not', other.role)
    )
from (values ('aqm_anon'), ('aqm_device'), ('aqm_user'), ('aqm_admin'), ('aqm_jobs')) as other (role);
set local "request.claims" = '';
update auth.email_events set claimed_by = session_user
where template = 'others';
select is(pg_temp.settle('others', true), 'sent', 'in psql the database role is the worker');
set local role aqm_worker;
select throws_ok(
    'select auth.settle_email_event(0, now(), true)', 'PT404', 'there is no such email that you have claimed',
    'it is for workers'
);

select * from finish();
rollback;
