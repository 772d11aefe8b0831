begin;
select plan(23);

\set company '''c0000000-0000-4000-8000-000000000000'''
\set former '''dead0000-0000-4000-8000-000000000000'''
do $$ begin
    perform set_config('aqm.encryption_keys', '1:' || repeat('e1', 32), true);
    perform set_config('aqm.index_keys', '1:' || repeat('11', 32), true);
end $$;
insert into auth.companies (id, name, deleted_at) values (:company, 'Coins Ltd', null), (:former, 'Gone Ltd', now());

set local role aqm_anon;
select u.id as bob
from auth.create_user(' Bob@Example.com', 'correct horse', 'Bob Builder', 'bob', '123456789012', :company) as u
\gset
select results_eq(
    $$select email, name, username, kyc_status::text, is_active, email_verified_at
    from auth.create_user('eve@example.com', 'battery staple', 'E', '0e-9_.')$$,
    $$values ('eve@example.com', 'E', '0e-9_.', 'pending', true, null::timestamptz)$$,
    'whoever has an address and a password may have an account, and sees it'
);
reset role;
select set_config('test.bob', :'bob', true) as bob
\gset
select results_eq(
    $$select email, name, username, first_company_id, created_at
    from auth.find_user(current_setting('test.bob')::uuid)$$,
    format($$values ('bob@example.com', 'Bob Builder', 'bob', %L::uuid, now())$$, :company),
    'what was told is kept'
);
select is_empty(
    $$select 1 from auth.users as u
    where to_jsonb(u)::text ~* 'example|builder|123456789012|correct|horse'
    or encode(u.email_encrypted || u.name_encrypted, 'escape') ~* 'example|builder'$$,
    'and none of it can be read in the table'
);
select ok(auth.is_password('correct horse', u.password_hash), 'the password is known again')
from auth.users as u
where u.id = :'bob';
select results_eq(
    $$select action, user_id, detail from auth.audit_logs where action like 'user.%' order by id limit 1$$,
    format($$values ('user.created', %L::uuid, '{}'::jsonb)$$, :'bob'),
    'an account leaves a trace, which names nobody'
);

select throws_ok(format('select auth.create_user(%s)', taken.arguments), 'PT409', taken.message, taken.description)
from (
    values
    (
        $$'BOB@example.com', 'correct horse'$$, 'there is an account with this email',
        'one address has one account, however it is written'
    ),
    (
        $$'b@example.com', 'correct horse', p_username => 'bob'$$, 'there is an account with this username',
        'a username is for one'
    ),
    (
        $$'b@example.com', 'correct horse', p_aadhaar => '123456789012'$$, 'there is an account with this aadhaar',
        'an Aadhaar number is for one'
    )
) as taken (arguments, message, description);

select throws_ok(format('select auth.create_user(%s)', bad.arguments), '22023', bad.message, bad.description)
from (
    values
    ($$'bob', 'correct horse'$$, 'email must be an email address', 'an address is needed'),
    ($$null, 'correct horse'$$, 'email must be an email address', 'none is none'),
    ($$'b@example.com', null$$, 'password must have between 8 and 1000 characters', 'a password is needed'),
    ($$'b@example.com', 'short'$$, 'password must have between 8 and 1000 characters', 'a short one is refused'),
    ($$'b@example.com', 'correct horse', ''$$, 'name must have between 1 and 400 bytes', 'an empty name is refused'),
    (
        $$'b@example.com', 'correct horse', repeat('n', 401)$$, 'name must have between 1 and 400 bytes',
        'so is a name without end'
    ),
    (
        $$'b@example.com', 'correct horse', p_username => 'Bob'$$,
        'username must have 2 to 63 of a-z, 0-9, dot, dash and underscore', 'capitals would look like another''s name'
    ),
    (
        $$'b@example.com', 'correct horse', p_username => repeat('b', 64)$$,
        'username must have 2 to 63 of a-z, 0-9, dot, dash and underscore', 'a long username is refused'
    ),
    (
        $$'b@example.com', 'correct horse', p_aadhaar => '12345678901'$$, 'aadhaar must have 12 digits',
        'an Aadhaar number has 12 digits'
    ),
    (
        $$'b@example.com', 'correct horse', p_first_company_id => gen_random_uuid()$$,
        'first_company_id must be a company', 'an unknown company is refused'
    ),
    (
        $$'b@example.com', 'correct horse', p_first_company_id => 'dead0000-0000-4000-8000-000000000000'$$,
        'first_company_id must be a company', 'so is one that was deleted'
    )
) as bad (arguments, message, description);

do $$ begin perform auth.delete_user(current_setting('test.bob')::uuid); end $$;
select isnt(
    (select u.id from auth.create_user('bob@example.com', 'correct horse', p_username => 'bob') as u), :'bob'::uuid,
    'after an account is deleted its address and name may have another'
);
select is((select count(*) from auth.users), 3::bigint, 'a refused account is not made');

set local "aqm.encryption_keys" = '';
select throws_ok(
    $$select auth.create_user('b@example.com', 'correct horse')$$, 'PT503', 'the encryption keys are missing',
    'without the keys there are no accounts'
);
set local role aqm_device;
select throws_ok(
    $$select auth.create_user('b@example.com', 'correct horse')$$, '42501', null,
    'a device makes no accounts'
);

select * from finish();
rollback;
