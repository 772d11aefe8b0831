begin;
select plan(5);

insert into escrow.blacklist (wallet, reason) values ('0x00000000000000000000000000000000000000a4', 'fraud');
insert into escrow.user_profiles (wallet, public_key, display_name)
select
    format('0x00000000000000000000000000000000000000a%s', n) as wallet,
    'cHVi' as public_key,
    'judge ' || n as display_name
from generate_series(1, 6) as n;
insert into escrow.arbitrators (wallet, stake_amount, stake_token, reputation, total_resolved, is_active)
select
    format('0x00000000000000000000000000000000000000a%s', a.n) as wallet,
    500.5 as stake_amount,
    '0xtoken' as stake_token,
    a.reputation,
    a.resolved as total_resolved,
    a.n <> 5 as is_active
from (values (1, 50, 1), (2, 90, 0), (3, 50, 2), (4, 99, 9), (5, 99, 9), (6, 50, 1)) as a (n, reputation, resolved);

select results_eq(
    'select display_name, reputation::integer, total_resolved from escrow.list_arbitrators()',
    $$values ('judge 2', 90, 0), ('judge 3', 50, 2), ('judge 1', 50, 1), ('judge 6', 50, 1)$$,
    'who is active and not blacklisted is shown, the best reputation first'
);
select results_eq(
    'select wallet, public_key, stake_amount::text, stake_token, registered_at from escrow.list_arbitrators() limit 1',
    $$values ('0x00000000000000000000000000000000000000a2', 'pub'::bytea, '500.500000', '0xtoken', now())$$,
    'with the key to write to and the stake'
);
select
    lives_ok(
        format('set local role %s; select escrow.list_arbitrators()', who.role), format('%s may look', who.role)
    )
from (values ('aqm_anon'), ('aqm_wallet')) as who (role);
set local role aqm_worker;
select throws_ok(
    'select escrow.list_arbitrators()',
    '42501',
    'permission denied for function list_arbitrators',
    'the follower of the chains has no need to'
);

select * from finish();
rollback;
