begin;
select plan(5);

\set buyer '''0x00000000000000000000000000000000000000b1'''
\set seller '''0x00000000000000000000000000000000000000b2'''
\set other '''0x00000000000000000000000000000000000000b3'''
\set product '''d0000000-0000-4000-8000-000000000000'''
insert into escrow.user_profiles (wallet, public_key)
values (:buyer, 'cHVi'), (:seller, 'cHVi'), (:other, 'cHVi');
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
)
values (:product, :seller, 'Title', 'Text', 'data', 10, 3, 'hash');
create function pg_temp.make_order(p_number bigint, p_buyer text) returns void language sql as $$
    insert into escrow.orders (
        onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount, platform_fee, tx_hash_create
    )
    values (
        p_number, 'bsc', p_buyer, '0x00000000000000000000000000000000000000b2',
        'd0000000-0000-4000-8000-000000000000', 'USDT', 10, 0.2, 'tx'
    )
$$;

prepare seen as
select
    o.onchain_order_id,
    o.status::text,
    o.holds_item
from escrow.orders as o
order by o.onchain_order_id;
select pg_temp.make_order(1, :other);
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
values ('bsc', 7, 0, :other, 'seller_confirmed', 1, '{}'), ('bsc', 8, 0, :other, 'completed', 2, '{}');
select lives_ok($$select escrow.sync_order('bsc', 2)$$, 'an order of which there is no row yet is no fault');
select escrow.sync_order('bsc', 1);
select results_eq('seen', $$values (1::bigint, 'seller_confirmed', true)$$, 'an order follows its last event');
select is(
    (select o.party_status::text from escrow.orders as o), 'created',
    'what the contract did is no step of a party'
);
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
values ('bsc', 6, 0, :other, 'created', 1, '{"buyer": "0x00000000000000000000000000000000000000b1"}');
select escrow.sync_order('bsc', 1);
select results_eq(
    'seen', $$values (-1::bigint, 'expired', false)$$,
    'an order that the contract has for another buyer is over, and gives item and number back'
);
delete from escrow.chain_event as e
where e.onchain_order_id = 1;
select pg_temp.make_order(1, :other);
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
values ('bsc', 9, 0, :other, 'created', 1, '{"buyer": "0x00000000000000000000000000000000000000b1"}');
select escrow.sync_order('bsc', 1);
select pg_temp.make_order(1, :buyer);
select results_eq(
    'seen', $$values (-2::bigint, 'expired', false), (-1, 'expired', false), (1, 'created', true)$$,
    'however often somebody takes a number, its buyer has it'
);

select * from finish();
rollback;
