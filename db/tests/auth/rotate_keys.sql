begin;
select plan(21);

do $$ begin
    perform set_config('aqm.encryption_keys', format('1:%s,2:%s', repeat('e1', 32), repeat('e2', 32)), true);
    perform set_config('aqm.index_keys', format('1:%s,2:%s', repeat('11', 32), repeat('22', 32)), true);
end $$;
create temporary table alice as
select id from auth.create_user('alice@example.org', 'correct horse', 'Alice', 'alice', '123456789012');
create temporary table bob as
select id from auth.create_user('bob@example.org', 'correct horse');
insert into auth.users (deleted_at, erased_at) values (now(), now());
create view pg_temp.versions as
select
    u.encryption_version,
    u.index_version,
    u.aadhaar_version
from auth.users as u
where u.erased_at is null
order by u.created_at, u.username;

select
    throws_ok(
        format('select auth.rotate_keys(%s)', bad.number), '22023', 'limit must be at least 1', bad.description
    )
from (
    values
    ('0', 'to rotate none is a mistake'), ('-1', 'and so is fewer'), ('null', 'and a step without an end')
) as bad (number, description);
select is(auth.rotate_keys(10), 0::bigint, 'without a new key there is nothing to do');

select lives_ok($$select auth.use_data_key('encryption', 2)$$, 'a new key may come');
select lives_ok(
    $$select auth.queue_email((select id from bob), 'welcome', p_secret => 'new'),
    set_config('aqm.test', '', true)$$,
    'what is written now is written with it'
);
insert into auth.email_events (user_id, template, secret_encrypted, encryption_version)
select
    bob.id as user_id,
    'welcome' as template,
    auth.encrypt_text('old', 1) as secret_encrypted,
    1 as encryption_version
from bob;
select is(auth.rotate_keys(1), 1::bigint, 'a call rotates no more than its limit');
select is(auth.rotate_keys(10), 1::bigint, 'and the next goes on');
select results_eq(
    'select * from pg_temp.versions', 'values (2, 1, 1), (2, 1, null::integer)', 'all are written with the new key'
);
select is(auth.rotate_keys(10), 1::bigint, 'then the secrets of emails');
select results_eq(
    'select encryption_version, auth.decrypt_text(secret_encrypted, 2) from auth.email_events order by id',
    $$values (2, 'new'), (2, 'old')$$, 'are those that they were'
);
select is(auth.rotate_keys(10), 0::bigint, 'and then it is done');

select lives_ok($$select auth.use_data_key('index', 2)$$, 'the other key may be renewed as well');
select is(auth.rotate_keys(10), 2::bigint, 'which takes everybody');
select results_eq(
    'select * from pg_temp.versions', 'values (2, 2, 1), (2, 2, null::integer)',
    'but the hash of an Aadhaar number stays, since nobody knows the number'
);
select is(auth.rotate_keys(10), 0::bigint, 'and is not waited for');

-- The old keys are gone, but for the one that the Aadhaar hash needs.
do $$ begin
    perform auth.forget_data_key('encryption', 1);
    perform set_config('aqm.encryption_keys', format('2:%s', repeat('e2', 32)), true);
end $$;
select results_eq(
    'select email, name, username from auth.find_user((select id from alice))',
    $$values ('alice@example.org', 'Alice', 'alice')$$, 'everybody is who they were'
);
select is(
    (
        select count(*)
        from auth.login('alice@example.org', 'correct horse')
    ), 1::bigint,
    'and logs in as before'
);
select throws_ok(
    $$select auth.create_user('other@example.org', 'correct horse', p_aadhaar => '123456789012')$$, 'PT409',
    'there is an account with this aadhaar', 'an Aadhaar number is known again with the key of then'
);
select throws_ok(
    $$select auth.create_user('alice@example.org', 'correct horse')$$, 'PT409',
    'there is an account with this email', 'and an address with the key of now'
);
set local role aqm_admin;
select throws_ok(
    'select auth.rotate_keys(10)', '42501', 'permission denied for function rotate_keys',
    'keys are rotated by a DBA'
);

select * from finish();
rollback;
