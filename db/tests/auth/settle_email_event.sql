begin;
select plan(21);

select auth.add_month('email_events', (now() at time zone 'UTC')::date) as made;
insert into auth.email_events (template, attempts, claimed_until, secret_encrypted, encryption_version)
values
('sent', 1, now() + interval '1 minute', '\x01', 1),
('first', 1, now() + interval '1 minute', '\x01', 1),
('second', 2, now() + interval '1 minute', '\x01', 1),
('fourth', 4, now() + interval '1 minute', '\x01', 1),
('fifth', 5, now() + interval '1 minute', '\x01', 1),
('waiting', 0, null, '\x01', 1);
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
    $$select pg_temp.settle('waiting', true)$$, 'PT404', 'there is no such email that a worker has',
    'what nobody claimed, nobody sent'
);
select throws_ok(
    'select auth.settle_email_event(0, now(), true)', 'PT404', 'there is no such email that a worker has',
    'nor what there is not'
);
select throws_ok(
    'select auth.settle_email_event(null, null, true)', 'PT404', 'there is no such email that a worker has',
    'and something must be named'
);

select is(pg_temp.settle('sent', true), 'sent', 'an email that was sent is sent');
select is(pg_temp.settle('first', false, 'mailbox is full'), 'queued', 'one that was not is tried again');
select is(pg_temp.settle('second', false), 'queued', 'and again');
select is(pg_temp.settle('fourth', false), 'queued', 'and again');
select is(pg_temp.settle('fifth', false, repeat('x', 400)), 'failed', 'five times');
select results_eq(
    'select template, claimed_until - now(), sent_at - now() from auth.email_events order by id',
    $$values
    ('sent', null, interval '0'), ('first', interval '1 minute', null), ('second', '2 minutes', null),
    ('fourth', '8 minutes', null), ('fifth', null, null), ('waiting', null, null)$$,
    'each time it rests twice as long'
);
select results_eq(
    'select template, octet_length(error) from auth.email_events where error is not null order by id',
    $$values ('first', 15), ('fifth', 400)$$, 'why is kept'
);
select results_eq(
    'select template from auth.email_events where secret_encrypted is null order by id',
    $$values ('sent'), ('fifth')$$, 'the secret is not, when it is of no use any more'
);
select throws_ok(
    $$select pg_temp.settle('sent', false)$$, 'PT404', 'there is no such email that a worker has',
    'what was sent stays sent'
);
select throws_ok(
    $$select pg_temp.settle('fifth', true)$$, 'PT404', 'there is no such email that a worker has',
    'and what failed has failed'
);
select
    throws_ok(
        format('set local role %s; select auth.settle_email_event(1, now(), true)', other.role), '42501',
        'permission denied for function settle_email_event', format('%s may not', other.role)
    )
from (values ('aqm_anon'), ('aqm_device'), ('aqm_user'), ('aqm_admin'), ('aqm_jobs')) as other (role);
set local role aqm_worker;
select throws_ok(
    'select auth.settle_email_event(0, now(), true)', 'PT404', 'there is no such email that a worker has',
    'it is for workers'
);

select * from finish();
rollback;
