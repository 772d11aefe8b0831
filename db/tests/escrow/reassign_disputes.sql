begin;
select plan(20);

\ir setup/orders.sql

\set other '''0x00000000000000000000000000000000000000b5'''
insert into escrow.user_profiles (wallet, public_key) values (:other, 'cHVi');
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
values ('bsc', 1, 0, 'c', 'created', 1, '{}');
select pg_temp.order_at(1, 'disputed') as id \gset
update escrow.orders set dispute_deadline = now() + interval '1 second';
create view pg_temp.dispute as
select
    o.arbitrator_wallet::text as arbitrator,
    o.dispute_deadline - now() as rest
from escrow.orders as o;
create view pg_temp.judge as
select
    a.reputation::integer as reputation,
    a.is_active
from escrow.arbitrators as a
where a.wallet = '0x00000000000000000000000000000000000000b3';

select is(escrow.reassign_disputes(), 0::bigint, 'who has time left keeps the dispute');
update escrow.orders set dispute_deadline = now();
select is(escrow.reassign_disputes(0), 0::bigint, 'none at once are none');
select is(escrow.reassign_disputes(), 1::bigint, 'when the deadline has passed something happens');
select results_eq(
    'select * from pg_temp.dispute', format($$values (%L, interval '72 hours')$$, :judge),
    'where there is nobody else the first keeps it, and gets more time'
);
select results_eq('select * from pg_temp.judge', 'values (45, true)', 'but loses 5 points');

insert into escrow.arbitrators (wallet, stake_amount, stake_token) values (:other, 500, :other);
update escrow.orders set dispute_deadline = now();
select is(escrow.reassign_disputes(), 1::bigint, 'the next time');
select results_eq(
    'select * from pg_temp.dispute', format($$values (%L, interval '72 hours')$$, :other), 'another is there'
);
select results_eq('select * from pg_temp.judge', 'values (40, true)', 'and the first loses 5 points again');

insert into escrow.blacklist (wallet, reason) values (:other, 'thief');
select is(escrow.reassign_disputes(), 1::bigint, 'for a ruling of who was blacklisted nobody waits');
select results_eq(
    'select d.*, a.reputation::integer from pg_temp.dispute as d, escrow.arbitrators as a where a.stake_token = a.wallet
    and a.wallet <> d.arbitrator',
    format($$values (%L, interval '72 hours', 50)$$, :judge), 'another has it; who had time left loses nothing'
);
update escrow.arbitrators set is_active = false;
select is(escrow.reassign_disputes(), 1::bigint, 'nor for one of who is active no more');
select results_eq(
    'select * from pg_temp.dispute', $$values (null::text, interval '1 hour')$$, 'where nobody is free it waits'
);
update escrow.arbitrators set is_active = true;
select is(escrow.reassign_disputes(), 0::bigint, 'for an hour, whoever comes');
update escrow.orders set dispute_deadline = now();
select is(escrow.reassign_disputes(), 1::bigint, 'then it is asked again');
select results_eq(
    'select * from pg_temp.dispute', format($$values (%L, interval '72 hours')$$, :judge), 'who then has 72 hours'
);
select results_eq('select * from pg_temp.judge', 'values (40, true)', 'and has lost nothing by it');

-- As a dispute begins that nobody was free for.
update escrow.orders set arbitrator_wallet = null;
select is(escrow.reassign_disputes(), 1::bigint, 'a new dispute that nobody has is asked about at once');
select pg_temp.order_at(2, 'disputed') as id \gset
update escrow.orders set status = 'resolved_buyer'
where onchain_order_id = 1;
update escrow.orders set dispute_deadline = now()
where onchain_order_id = 2;
select is(escrow.reassign_disputes(), 1::bigint, 'who has ruled about the parties meanwhile');
select is(
    (
        select o.arbitrator_wallet from escrow.orders as o
        where o.status = 'disputed'
    ), null,
    'does not keep the dispute, though there is nobody else'
);
select results_eq(
    'select * from pg_temp.judge', 'values (40, true)',
    'nor do they lose points by a dispute that the contract knows nothing of'
);

select * from finish();
rollback;
