begin;
select plan(5);

select is(auth.oldest_email_seconds(), 0::double precision, 'when nothing waits, nothing waits long');
select auth.add_month('email_events', moment::date) as made
from (values (now() - interval '2 days'), (now())) as months (moment);
insert into auth.email_events (template, status, created_at)
values
('sent', 'sent', now() - interval '2 days'), ('failed', 'failed', now() - interval '2 days'),
('new', 'queued', now()), ('old', 'queued', now() - interval '61.5 seconds');
select is(auth.oldest_email_seconds(), 61.5::double precision, 'the oldest that is yet to be sent counts');
set local role aqm_gateway;
select is(auth.oldest_email_seconds(), 61.5::double precision, 'a gateway may ask');
set local role aqm_monitor;
select is(auth.oldest_email_seconds(), 61.5::double precision, 'monitoring may ask');
set local role aqm_user;
select throws_ok(
    'select auth.oldest_email_seconds()', '42501', 'permission denied for function oldest_email_seconds',
    'it is nothing to others'
);

select * from finish();
rollback;
