begin;
select plan(16);

\set nobody '''b0b00000-0000-4000-8000-000000000000'''

select set_config('aqm.encryption_keys', '1:' || repeat('1', 64), true) as set_to;
select set_config('aqm.index_keys', '1:' || repeat('2', 64), true) as set_to;
select id as alice
from auth.create_user('alice@example.org', 'correct horse', 'Alice', 'alice', '123456789012') \gset
select opened.session_id from auth.login('alice@example.org', 'correct horse') as opened;
select found.id from auth.set_kyc(:'alice', 'verified', '{"passport": "X1234567"}') as found;

select throws_ok(
    format('select auth.erase_user(%L)', :nobody), 'PT404', 'there is no such account', 'nobody can''t be erased'
);
select throws_ok('select auth.erase_user(null)', 'PT404', 'there is no such account', 'nor can null');

-- The data keys aren't needed.
select set_config('aqm.encryption_keys', '', true) as set_to;
select set_config('aqm.index_keys', '', true) as set_to;
set local role aqm_admin;
select lives_ok(format('select auth.erase_user(%L)', :'alice'), 'an administrator may erase a person');
reset role;
select results_eq(
    $$select jsonb_object_keys(jsonb_strip_nulls(to_jsonb(u))) from auth.users as u order by 1$$,
    $$values ('created_at'), ('deleted_at'), ('erased_at'), ('id'), ('is_active'), ('kyc_status'), ('updated_at')$$,
    'nothing of the row tells who it was'
);
select results_eq(
    'select is_active, deleted_at = now(), erased_at = now() from auth.users', 'values (false, true, true)',
    'the account is deleted'
);
select is_empty(
    $$select 1 from auth.sessions where is_active or deleted_at is null$$, 'its sessions are over'
);
select is_empty('select 1 from auth.login_attempts', 'its traces are gone');
select is_empty('select 1 from auth.kyc_verifications where kyc_data is not null', 'and what proved it');
select results_eq(
    $$select action from auth.audit_logs where user_id is not null order by id$$,
    $$values ('user.created'), ('session.opened'), ('kyc.decided'), ('session.ended'), ('user.erased')$$,
    'the audit stays, and says so'
);
select lives_ok(format('select auth.erase_user(%L)', :'alice'), 'it may be said again');
select is(
    (
        select count(*)
        from auth.audit_logs as al
        where al.action = 'user.erased'
    ), 1::bigint,
    'and was done once'
);

select set_config('aqm.encryption_keys', '1:' || repeat('1', 64), true) as set_to;
select set_config('aqm.index_keys', '1:' || repeat('2', 64), true) as set_to;
select is_empty(format('select * from auth.find_user(%L)', :'alice'), 'with all keys, there is nobody to find');
select is_empty($$select * from auth.login('alice@example.org', 'correct horse')$$, 'nobody logs in as them');
select isnt(
    (
        select again.id
        from auth.create_user('alice@example.org', 'correct horse', null, 'alice', '123456789012') as again
    ), :'alice'::uuid,
    'and who comes back is somebody else'
);
select auth.delete_user(u.id) as deleted
from auth.users as u
where u.deleted_at is null;
update auth.users set deleted_at = now() - interval '1 day'
where erased_at is null;
select auth.erase_user(u.id) as erased
from auth.users as u
where u.erased_at is null;
select is(
    (
        select count(*)
        from auth.users as u
        where u.erased_at = now() and u.deleted_at = now() - interval '1 day'
    ), 1::bigint,
    'a deleted account can be erased later'
);
set local role aqm_user;
select throws_ok(
    format('select auth.erase_user(%L)', :'alice'), '42501', 'permission denied for function erase_user',
    'a person only deletes an account, the traces are for an administrator'
);

select * from finish();
rollback;
