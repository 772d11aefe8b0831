begin;
select plan(6);

\set buyer '''0x00000000000000000000000000000000000000b1'''
\set seller '''0x00000000000000000000000000000000000000b2'''
\set judge '''0x00000000000000000000000000000000000000b3'''
\set product '''d0000000-0000-4000-8000-000000000000'''
insert into escrow.user_profiles (wallet, public_key) values (:buyer, 'cHVi'), (:seller, 'cHVi'), (:judge, 'cHVi');
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
)
values (:product, :seller, 'Title', 'Text', 'data', 10, 30, 'hash');
create function pg_temp.waiting() returns text language sql as $$
    select string_agg(w.waits_for || ' ' || w.value, ', ' order by w.waits_for) from escrow.waiting_orders() as w
$$;
select is(pg_temp.waiting(), 'arbitrator 0, contract 0, time 0', 'without orders none waits, and the gauges say so');

create function pg_temp.add_order(
    p_number integer, p_status text, p_chain_status text, p_judge text, p_age interval, p_confirmed interval
) returns void language sql as $$
    insert into escrow.orders (
        onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount, platform_fee, tx_hash_create,
        status, chain_status, arbitrator_wallet, created_at, seller_confirmed_at
    )
    values (
        p_number, 'bsc', '0x00000000000000000000000000000000000000b1', '0x00000000000000000000000000000000000000b2',
        'd0000000-0000-4000-8000-000000000000', 'USDT', 10, 0.2, 'tx', p_status::escrow.order_status,
        p_chain_status::escrow.order_status, p_judge, now() - p_age, now() - p_confirmed
    )
$$;
-- How they came to be is not what is asked here.
set local session_replication_role = replica;
select pg_temp.add_order(o.number, o.status, o.chain_status, o.judge, o.age::interval, o.confirmed::interval)
from (
    values
    (1, 'created', 'created', null, '24 hours 14 minutes', null),
    (2, 'seller_confirmed', 'seller_confirmed', null, '90 hours', '72 hours 14 minutes'),
    (3, 'disputed', 'disputed', :judge, '90 hours', '80 hours'),
    (4, 'created', null, null, '59 minutes', null),
    (5, 'expired', null, null, '90 hours', null),
    (6, 'completed', null, null, '900 hours', '800 hours')
) as o (number, status, chain_status, judge, age, confirmed);
select is(pg_temp.waiting(), 'arbitrator 0, contract 0, time 0', 'what goes its way does not count, nor what is over');

select pg_temp.add_order(o.number, o.status, o.chain_status, null, o.age::interval, o.confirmed::interval)
from (
    values
    (11, 'created', 'created', '24 hours 16 minutes', null),
    (12, 'seller_confirmed', 'seller_confirmed', '90 hours', '72 hours 16 minutes'),
    (13, 'disputed', 'disputed', '2 hours', '1 hours'),
    (14, 'created', null, '61 minutes', null),
    (15, 'seller_confirmed', null, '2 hours', '1 hour'),
    (16, 'disputed', null, '2 hours', '1 hour')
) as o (number, status, chain_status, age, confirmed);
set local session_replication_role = origin;
set local role aqm_gateway;
select is(
    pg_temp.waiting(), 'arbitrator 2, contract 3, time 2',
    'a gateway counts what time should have ended, disputes that nobody has, and what the contract never mentioned'
);
set local role aqm_monitor;
select isnt_empty('select * from escrow.waiting_orders()', 'monitoring may ask');
set local role aqm_wallet;
select throws_ok(
    'select * from escrow.waiting_orders()', '42501', 'permission denied for function waiting_orders',
    'it is nothing to people'
);
reset role;
select escrow.apply_timeouts() as applied;
select alike(pg_temp.waiting(), '%, time 0', 'what the job has done waits no longer');

select * from finish();
rollback;
