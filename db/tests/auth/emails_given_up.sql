begin;
select plan(4);

select is(auth.emails_given_up(), 0::bigint, 'when nothing failed, nothing is told');
select auth.add_month('email_events', (now() at time zone 'UTC')::date) as made;
insert into auth.email_events (template, status, given_up_at)
values
('just_now', 'failed', now()), ('within_the_hour', 'failed', now() - interval '59 minutes'),
('before', 'failed', now() - interval '1 hour'), ('void', 'failed', null), ('waits', 'queued', null);
set local role aqm_gateway;
select is(auth.emails_given_up(), 2::bigint, 'those of the last hour count, but for those that are void');
set local role aqm_monitor;
select is(auth.emails_given_up(), 2::bigint, 'monitoring may ask');
set local role aqm_user;
select throws_ok(
    'select auth.emails_given_up()', '42501', 'permission denied for function emails_given_up',
    'it is nothing to others'
);

select * from finish();
rollback;
