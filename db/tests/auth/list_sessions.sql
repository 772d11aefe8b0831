begin;
select plan(9);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set eve '''e5e00000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:bob), (:eve);
insert into auth.sessions (
    id, user_id, role, subject, family_hash, refresh_token_hash, access_token_exp, device_type, device_name,
    created_at, last_active, expires_at, is_active, deleted_at
)
select
    format('00000000-0000-4000-8000-00000000000%s', n)::uuid as id,
    case n when 5 then :eve else :bob end::uuid as user_id,
    case n when 1 then 'device' else 'user' end as role,
    :bob as subject,
    sha256(n::text::bytea) as family_hash,
    sha256(n::text::bytea) as refresh_token_hash,
    now() as access_token_exp,
    case n when 1 then 'Android' end as device_type,
    case n when 1 then 'phone' end as device_name,
    now() - interval '2 days' as created_at,
    now() - interval '1 day' as last_active,
    case n when 3 then now() else now() + interval '1 day' end as expires_at,
    n <> 4 as is_active,
    case n when 4 then now() end as deleted_at
from generate_series(1, 6) as n;

set local role aqm_user;
select results_eq(
    format('select * from auth.list_sessions(%L) limit 1', :bob),
    format(
        $$values (
            '00000000-0000-4000-8000-000000000001'::uuid, 'device', %L::uuid, 'Android', 'phone',
            now() - interval '2 days', now() - interval '1 day', now() + interval '1 day'
        )$$, :bob
    ),
    'a person sees where they are logged in, and since when'
);
select results_eq(
    format($$select right(id::text, 1) from auth.list_sessions(%L)$$, :bob), $$values ('1'), ('2'), ('6')$$,
    'but not what has expired, was ended or is another''s'
);
select results_eq(
    format($$select right(id::text, 1) from auth.list_sessions(%L, p_limit => 2)$$, :bob), $$values ('1'), ('2')$$,
    'a page at a time'
);
select results_eq(
    format(
        $$select right(id::text, 1) from auth.list_sessions(%L, '00000000-0000-4000-8000-000000000001', 1)$$, :bob
    ),
    $$values ('2')$$,
    'the next page begins after the last id'
);
select is_empty('select auth.list_sessions(gen_random_uuid())', 'nobody is logged in nowhere');
select
    throws_ok(
        format('select auth.list_sessions(%L, p_limit => %s)', :bob, bad.number), '22023',
        'limit must be between 1 and 1000', bad.description
    )
from (
    values
    ('0', 'a page has a row'),
    ('1001', 'and an end'),
    ('null', 'and a length')
) as bad (number, description);
set local role aqm_device;
select throws_ok(
    format('select auth.list_sessions(%L)', :bob), '42501', 'permission denied for function list_sessions',
    'a device does not see where else a person is logged in'
);

select * from finish();
rollback;
