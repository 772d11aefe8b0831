begin;
select plan(15);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set eve '''e5e00000-0000-4000-8000-000000000000'''
do $$ begin
    perform set_config('aqm.encryption_keys', '1:' || repeat('e1', 32), true);
    perform set_config('aqm.index_keys', '1:' || repeat('11', 32), true);
end $$;
insert into auth.users (id, email_encrypted, encryption_version)
values (:bob, auth.encrypt_text('bob@example.com', 1), 1), (:eve, auth.encrypt_text('eve@example.com', 1), 1);
set local "request.claims" = '{"sub": "an admin"}';

set local role aqm_admin;
select results_eq(
    format($$select email, kyc_status::text from auth.set_kyc(%L, 'submitted', '{"passport": "seen"}')$$, :bob),
    $$values ('bob@example.com', 'submitted')$$,
    'an administrator who decides sees the account as it is then'
);
reset role;
select is(
    (
        select u.aadhaar_last_verified
        from auth.users as u
        where u.id = :bob
    ), null, 'who has told of themselves is not verified yet'
);
set local role aqm_admin;
select is(
    (select u.kyc_status from auth.set_kyc(:bob, 'verified') as u), 'verified',
    'and may decide again'
);
reset role;
select results_eq(
    'select id, kyc_status::text, kyc_data, aadhaar_last_verified from auth.users order by id',
    format(
        $$values
        (%L::uuid, 'verified', '{"passport": "seen"}'::jsonb, now()), (%L, 'pending', null, null)$$, :bob, :eve
    ),
    'what it rests on stays when nothing else is told, and nobody else is concerned'
);
select results_eq(
    'select user_id, status::text, kyc_data, verified_by from auth.kyc_verifications order by id',
    format(
        $$values
        (%1$L::uuid, 'submitted', '{"passport": "seen"}'::jsonb, 'an admin'), (%1$L, 'verified', null, 'an admin')$$, :bob
    ),
    'each decision is kept, and who made it'
);
select results_eq(
    $$select action, actor, user_id, detail from auth.audit_logs order by id$$,
    format(
        $$values
        ('kyc.decided', 'an admin', %1$L::uuid, '{"status": "submitted"}'::jsonb),
        ('kyc.decided', 'an admin', %1$L, '{"status": "verified"}')$$, :bob
    ),
    'and leaves a trace, without the papers'
);
select lives_ok(
    format($$select auth.set_kyc(%L, 'rejected', jsonb_build_object('a', repeat('a', 19991)))$$, :bob),
    'a verified person may be rejected, for reasons of 20000 bytes'
);
select is(
    (
        select u.aadhaar_last_verified
        from auth.users as u
        where u.id = :bob
    ), now(), 'when they were last verified is still known'
);

select throws_ok(format('select auth.set_kyc(%L, %s)', :bob, bad.arguments), bad.code, bad.message, bad.description)
from (
    values
    ('null', '22023', 'status must not be null', 'a decision says something'),
    ($$'maybe'$$, '22P02', null, 'and something that is known'),
    (
        $$'verified', jsonb_build_object('a', repeat('a', 19992))$$, '22023', 'data must have at most 20000 bytes',
        'papers without end are refused'
    )
) as bad (arguments, code, message, description);
update auth.users
set deleted_at = now()
where id = :eve;
select is_empty(format($$select auth.set_kyc(%L, 'verified')$$, :eve), 'who was deleted is not decided on');
select is_empty($$select auth.set_kyc(gen_random_uuid(), 'verified')$$, 'nor is nobody');
select is((select count(*) from auth.kyc_verifications), 3::bigint, 'and no decision on them is kept');
set local role aqm_user;
select throws_ok(
    format($$select auth.set_kyc(%L, 'verified')$$, :bob), '42501', 'permission denied for function set_kyc',
    'nobody verifies themselves'
);

select * from finish();
rollback;
