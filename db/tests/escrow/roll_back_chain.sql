begin;
select plan(13);

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
create function pg_temp.apply(p_block bigint, p_kind text, p_payload text) returns void language sql as $$
    select escrow.apply_chain_event(
        'bsc', '0x00000000000000000000000000000000000000cc', p_block, 0, p_kind, p_payload::jsonb
    )
$$;

prepare seen as
select
    o.onchain_order_id,
    o.chain_status::text,
    o.status::text
from escrow.orders as o
order by o.onchain_order_id;
select throws_ok($$select escrow.roll_back_chain(null, 1)$$, '22023', 'chain must be given', 'a chain is named');
select throws_ok($$select escrow.roll_back_chain('bsc', -1)$$, '22023', 'block must be at least 0', 'a block is named');
select is_empty($$select escrow.roll_back_chain('bsc', 1)$$, 'a chain of which nothing has come has no cursor');

select pg_temp.make_order(1, :buyer);
select pg_temp.make_order(2, :other);
select pg_temp.apply(10, 'created', '{"order_id": 1}');
select pg_temp.apply(11, 'seller_confirmed', '{"order_id": 1}');
select pg_temp.apply(12, 'completed', '{"order_id": 1}');
select pg_temp.apply(13, 'cancelled', '{"order_id": 2}');
select pg_temp.apply(
    14, 'arbitrator_registered', '{"wallet": "0x00000000000000000000000000000000000000b3", "stake_amount": "500",
    "stake_token": "0x00000000000000000000000000000000000000cc"}'
);
select escrow.apply_chain_event(
    'base', '0x00000000000000000000000000000000000000cc', 99, 0, 'created', '{"order_id": 1}'
);
set local role aqm_worker;
select results_eq(
    $$select chain::text, last_block from escrow.roll_back_chain('bsc', 11)$$, $$values ('bsc', 11::bigint)$$,
    'the cursor goes back to the block'
);
reset role;
select results_eq(
    'seen', $$values (1::bigint, 'seller_confirmed', 'seller_confirmed'), (2, null, 'created')$$,
    'orders are what the events that are left make them'
);
select is((select count(*)::integer from escrow.chain_event), 3, 'other chains keep their events');
select ok(not (select a.is_active from escrow.arbitrators as a), 'arbitrators are what is left makes them');
select results_eq(
    $$select stock, total_sold from escrow.products$$, $$values (3, 0)$$, 'what was counted is taken back'
);
select is(
    (select c.last_block from escrow.roll_back_chain('bsc', 50) as c), 11::bigint, 'no cursor goes forward by this'
);
update escrow.event_sync_cursor set last_block = 10012
where chain = 'bsc';
select throws_ok(
    $$select escrow.roll_back_chain('bsc', 11)$$, '22023', 'block is 10001 below the cursor, more than 10000',
    'a slip does not wipe a chain'
);
select is(
    (select c.last_block from escrow.roll_back_chain('bsc', 12) as c), 12::bigint, '10,000 blocks can be taken back'
);
select is(
    (select c.last_block from escrow.roll_back_chain('bsc', 11) as c), 11::bigint, 'and more of them in steps'
);
select lives_ok(
    $$select pg_temp.apply(12, 'disputed', '{"order_id": 1}')$$, 'what came instead takes the place of what is gone'
);

select * from finish();
rollback;
