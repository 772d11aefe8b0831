begin;
select plan(13);

do $$ begin
    perform set_config('aqm.encryption_keys', '1:' || repeat('e1', 32), true);
    perform set_config('aqm.index_keys', '1:' || repeat('11', 32), true);
end $$;
insert into auth.users (id, email_encrypted, username, encryption_version, deleted_at)
select
    format('00000000-0000-4000-8000-00000000000%s', n)::uuid as id,
    auth.encrypt_text(format('user%s@example.com', n), 1) as email_encrypted,
    format('user%s', n) as username,
    1 as encryption_version,
    case n when 3 then now() end as deleted_at
from generate_series(1, 5) as n;

set local role aqm_admin;
select results_eq(
    'select email, username from auth.list_users()',
    $$values
    ('user1@example.com', 'user1'), ('user2@example.com', 'user2'), ('user4@example.com', 'user4'),
    ('user5@example.com', 'user5')$$,
    'an administrator sees everybody who was not deleted, by id'
);
select results_eq(
    'select username from auth.list_users(p_limit => 1)', $$values ('user1')$$,
    'a page at a time'
);
select results_eq(
    $$select username from auth.list_users('00000000-0000-4000-8000-000000000002')$$,
    $$values ('user4'), ('user5')$$,
    'the next page begins after the last id'
);
select is_empty(
    $$select username from auth.list_users('00000000-0000-4000-8000-000000000005')$$,
    'after the last there is none'
);
select results_eq(
    $$select username from auth.list_users(p_username => 'user4')$$, $$values ('user4')$$,
    'a person may be looked for by username'
);
select is_empty($$select 1 from auth.list_users(p_username => 'user3')$$, 'unless they are gone');
select
    throws_ok(
        format('select auth.list_users(p_limit => %s)', bad.number), '22023', 'limit must be between 1 and 1000',
        bad.description
    )
from (
    values
    ('0', 'a page has a row'),
    ('-1', 'or more'),
    ('1001', 'but not everybody'),
    ('null', 'and an end')
) as bad (number, description);
select lives_ok('select auth.list_users(p_limit => 1000)', 'a thousand is a page');
set local role aqm_user;
select throws_ok(
    'select auth.list_users()', '42501', 'permission denied for function list_users',
    'a user does not see who else there is'
);
reset role;
set local "aqm.encryption_keys" = '';
select throws_ok(
    'select auth.list_users()', 'PT503', 'the encryption keys are missing', 'without the keys nobody is shown'
);

select * from finish();
rollback;
