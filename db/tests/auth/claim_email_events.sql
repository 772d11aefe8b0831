begin;
select plan(27);

do $$ begin
    perform set_config('aqm.encryption_keys', format('1:%s,2:%s', repeat('e1', 32), repeat('e2', 32)), true);
    perform set_config('aqm.index_keys', format('1:%s,2:%s', repeat('11', 32), repeat('22', 32)), true);
end $$;
create temporary table alice as
select id from auth.create_user('alice@example.org', 'correct horse');
grant select on alice to aqm_worker;
insert into auth.users (id, erased_at) values ('b0b00000-0000-4000-8000-000000000000', now());
do $$ begin
    perform auth.add_month('email_events', (now() at time zone 'UTC')::date);
end $$;
insert into auth.email_events (user_id, template, template_data, secret_encrypted, encryption_version)
select
    alice.id as user_id,
    'email_check' as template,
    '{"language": "hi"}' as template_data,
    auth.encrypt_text('token', 1) as secret_encrypted,
    1 as encryption_version
from alice;
insert into auth.email_events (user_id, template)
select
    alice.id as user_id,
    'welcome' as template
from alice;
insert into auth.email_events (user_id, template) values ('b0b00000-0000-4000-8000-000000000000', 'goodbye');
insert into auth.email_events (user_id, template, status)
select
    alice.id as user_id,
    'over' as template,
    over.status
from alice
cross join (values ('sent'::auth.email_status), ('failed')) as over (status);

select
    throws_ok(
        format('select * from auth.claim_email_events(%s)', bad.arguments), '22023', bad.message, bad.description
    )
from (
    values
    ('0', 'limit must be between 1 and 1000', 'to claim none is a mistake'),
    ('1001', 'limit must be between 1 and 1000', 'and so are too many'),
    ('null', 'limit must be between 1 and 1000', 'and no number'),
    ($$1, '0.9 seconds'$$, 'lease must be between 1 second and 1 day', 'a lease is a second at least'),
    ($$1, '1 day 1 second'$$, 'lease must be between 1 second and 1 day', 'and a day at most'),
    ('1, null', 'lease must be between 1 second and 1 day', 'and never for ever')
) as bad (arguments, message, description);

set local "request.claims" = '{"sub": "a worker"}';
set local role aqm_worker;
select results_eq(
    'select email, template, template_data, secret, attempts from auth.claim_email_events(1)',
    $$values ('alice@example.org', 'email_check', '{"language": "hi"}'::jsonb, 'token', 1)$$,
    'a worker gets the oldest email, with the address and the secret'
);
select results_eq(
    'select email, template, template_data, secret, attempts from auth.claim_email_events()',
    $$values ('alice@example.org', 'welcome', '{}'::jsonb, null, 1), (null, 'goodbye', '{}', null, 1)$$,
    'the next gets the others; who was erased has no address'
);
select is_empty('select * from auth.claim_email_events()', 'what a worker has, no other gets');
reset role;
select results_eq(
    'select template, claimed_until - now(), attempts, claimed_by from auth.email_events order by id',
    $$values
    ('email_check', interval '5 minutes', 1, 'a worker'), ('welcome', '5 minutes', 1, 'a worker'),
    ('goodbye', '5 minutes', 1, 'a worker'), ('over', null, 0, null), ('over', null, 0, null)$$,
    'for the time of its lease, and it is known who'
);
select results_eq(
    $$select actor, detail from auth.audit_logs where action = 'emails.claimed' order by id$$,
    $$values ('a worker', '{"number": 1}'::jsonb), ('a worker', '{"number": 2}')$$,
    'it is known who read how many, and an empty queue leaves no trace'
);
select is_empty(
    $$select 1 from auth.audit_logs as al where al::text ~ 'example|token'$$, 'but not what they read'
);
update auth.email_events set claimed_until = now()
where template <> 'goodbye' and claimed_until is not null;
select results_eq(
    $$select template, attempts from auth.claim_email_events(10, '1 second')$$,
    $$values ('email_check', 2), ('welcome', 2)$$, 'when it is over, another worker may try'
);
update auth.email_events set
    claimed_until = now(),
    attempts = 4
where template = 'welcome';
select results_eq(
    'select template, attempts from auth.claim_email_events()', $$values ('welcome', 5)$$, 'five times'
);
update auth.email_events set claimed_until = now()
where template = 'welcome';
select is_empty('select * from auth.claim_email_events()', 'and no more');
select is(
    (
        select ee.status::text
        from auth.email_events as ee
        where ee.template = 'welcome'
    ), 'failed', 'then it has failed'
);

insert into auth.email_events (user_id, template, secret_encrypted, encryption_version, has_own_address)
select
    alice.id as user_id,
    'email_changed' as template,
    auth.encrypt_text(address.of_before, 1) as secret_encrypted,
    1 as encryption_version,
    true as has_own_address
from alice
cross join (values ('alice@example.net')) as address (of_before);
set local "request.claims" = '{"sub": "another worker"}';
select results_eq(
    'select email, template, secret from auth.claim_email_events()',
    $$values ('alice@example.net', 'email_changed', null::text)$$,
    'what goes to an address of before goes there'
);
update auth.email_events set claimed_until = null, secret_encrypted = '\x01'
where has_own_address;
select is_empty('select * from auth.claim_email_events()', 'or, if that is damaged, nowhere');
delete from auth.email_events
where has_own_address;
update auth.email_events set claimed_until = now()
where template = 'goodbye';
do $$ begin
    perform auth.claim_email_events();
end $$;
select is(
    (
        select ee.claimed_by from auth.email_events as ee
        where ee.template = 'goodbye'
    ), 'another worker', 'who claims an email next has it'
);

do $$ begin
    perform set_config('aqm.encryption_keys', '', true);
end $$;
update auth.email_events set claimed_until = null
where status = 'queued';
select throws_ok(
    'select * from auth.claim_email_events()', 'PT503', 'the encryption keys are missing', 'the data keys are needed'
);
select is(
    (
        select count(*)
        from auth.email_events as ee
        where ee.status = 'queued' and ee.claimed_until is null
    ), 2::bigint, 'and without them nothing is claimed'
);
select
    throws_ok(
        format('set local role %s; select * from auth.claim_email_events()', other.role), '42501',
        'permission denied for function claim_email_events', format('%s may not', other.role)
    )
from (values ('aqm_anon'), ('aqm_device'), ('aqm_user'), ('aqm_admin'), ('aqm_monitor'), ('aqm_jobs')) as other (role);

select * from finish();
rollback;
