begin;
select plan(10);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''

select set_config('aqm.encryption_keys', '1:' || repeat('1', 64), true) as set_to;
select set_config('aqm.index_keys', '1:' || repeat('2', 64), true) as set_to;
insert into auth.users (id) values (:alice), (:bob);
insert into auth.companies (id, name) values ('c0000000-0000-4000-8000-000000000000', 'Company');
select auth.add_month('email_events', now()::date) as made;
select opened.*
from (values (:alice::uuid), (:bob)) as people (id)
cross join auth.open_session(people.id, 'device', 'phone', 'android', 'fingerprint') as opened;
select auth.admit_device(:alice, 'tablet') as tablet;
insert into auth.kyc_verifications (user_id, status, kyc_data, verified_by)
values (:alice, 'verified', '{"passport": "1"}', 'somebody'), (:bob, 'verified', '{"passport": "2"}', 'somebody');
insert into auth.company_members (company_id, user_id)
values ('c0000000-0000-4000-8000-000000000000', :alice), ('c0000000-0000-4000-8000-000000000000', :bob);
insert into auth.email_events (user_id, template, template_data, secret_encrypted, encryption_version, status)
values
(:alice, 'welcome', '{"name": "Alice"}', '\x01', 1, 'queued'),
(:alice, 'welcome', '{"name": "Alice"}', null, null, 'sent'),
(:bob, 'welcome', '{"name": "Bob"}', '\x01', 1, 'queued');
insert into auth.one_time_tokens (token_hash, user_id, purpose, expires_at)
values (sha256('1'), :alice, 'email_check', now()), (sha256('2'), :bob, 'email_check', now());
insert into auth.login_attempts (email_hash, user_id, is_success)
values (sha256('alice'), null, false), (sha256('other'), :alice, true), (sha256('bob'), :bob, true);
update auth.user_devices set closed_at = now() - interval '1 day'
where subject = auth.device_id(:alice, 'tablet');

select auth.erase_traces(:alice, sha256('alice')) as erased;
select results_eq(
    'select is_active, deleted_at is null, device_type, device_name, browser_fingerprint
    from auth.sessions order by user_id',
    $$values (false, false, null, null, null), (true, true, 'android', 'phone', 'fingerprint')$$,
    'sessions end, and what the devices told of themselves is gone'
);
select results_eq(
    'select user_id, kyc_data from auth.kyc_verifications order by user_id',
    format($$values (%L::uuid, null::jsonb), (%L, '{"passport": "2"}')$$, :alice, :bob),
    'that somebody was verified stays, but not by what'
);
select results_eq(
    'select is_active, deleted_at is null from auth.company_members order by user_id',
    'values (false, false), (true, true)', 'they belong to no company any more'
);
select results_eq(
    'select status::text, template_data, secret_encrypted, encryption_version from auth.email_events order by id',
    $$values ('failed', '{}'::jsonb, null::bytea, null::integer), ('sent', '{}', null, null),
    ('queued', '{"name": "Bob"}', '\x01', 1)$$,
    'emails that wait are not sent, and none tells of them'
);
select results_eq(
    'select user_id from auth.one_time_tokens', format('values (%L::uuid)', :bob), 'their tokens are good for nothing'
);
select results_eq(
    'select user_id, closed_at from auth.user_devices order by user_id, closed_at',
    format(
        $$values (%L::uuid, now() - interval '1 day'), (%1$L, now()), (%L, null)$$, :alice, :bob
    ),
    'their devices go when their coins have gone, which is not put off'
);
select results_eq(
    'select email_hash from auth.login_attempts', $$values (sha256('bob'))$$,
    'tries to log in are forgotten, those before the account too'
);
select lives_ok(format('select auth.erase_traces(%L, null)', :alice), 'there may be no traces');
select is(
    (
        select count(*)
        from auth.login_attempts
    ), 1::bigint,
    'nobody''s address is not everybody''s'
);
set local role aqm_admin;
select throws_ok(
    format('select auth.erase_traces(%L, null)', :bob), '42501', 'permission denied for function erase_traces',
    'it is for auth.erase_user() alone'
);

select * from finish();
rollback;
