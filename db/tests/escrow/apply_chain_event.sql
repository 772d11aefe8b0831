begin;
select plan(20);

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

prepare seen as select
    o.chain_status::text,
    o.status::text,
    o.tx_hash_complete::text
from escrow.orders as o;
select throws_ok(
    $$select escrow.apply_chain_event(
        null, '0x00000000000000000000000000000000000000cc', 1, 0, 'created', '{"order_id": 1}'
    )$$,
    '22023', 'chain must be given', 'an event is of a chain'
);
select throws_ok(
    $$select escrow.apply_chain_event('bsc', null, 1, 0, 'created', '{"order_id": 1}')$$,
    '22023', 'contract must be given', 'an event is of a contract'
);
select throws_ok(
    $$select pg_temp.apply(-1, 'created', '{"order_id": 1}')$$,
    '22023',
    'block must be at least 0',
    'an event is in a block'
);
select throws_ok(
    $$select escrow.apply_chain_event(
        'bsc', '0x00000000000000000000000000000000000000cc', 1, null, 'created', '{"order_id": 1}'
    )$$,
    '22023', 'log_index must be at least 0', 'an event has a place in its block'
);
select throws_ok(
    $$select pg_temp.apply(1, 'created', '{}')$$, '22023',
    'payload.order_id must be a whole number from 0 to 9223372036854775807', 'what an event says is looked at'
);
select is_empty(
    $$select from escrow.chain_event union all select from escrow.event_sync_cursor$$, 'what is refused changes nothing'
);

select pg_temp.apply(20, 'seller_confirmed', '{"order_id": 1}');
select pg_temp.make_order(1, :buyer);
select results_eq(
    'seen', $$values ('seller_confirmed', 'seller_confirmed', null::text)$$, 'an event may come before the order'
);
select pg_temp.apply(19, 'created', '{"order_id": 1, "buyer": "0x00000000000000000000000000000000000000B1"}');
select results_eq(
    'seen', $$values ('seller_confirmed', 'seller_confirmed', null::text)$$,
    'an earlier one may come later'
);
set local role aqm_worker;
select escrow.apply_chain_event(
    'bsc', '0x00000000000000000000000000000000000000dd', 21, 0, 'completed',
    jsonb_build_object('order_id', 1, 'tx_hash', '0x' || repeat('ab', 32))
);
reset role;
select results_eq(
    'seen', format($$values ('completed', 'completed', '0x%s')$$, repeat('ab', 32)),
    'an order follows the contract, and knows the transaction'
);
select results_eq(
    'select chain::text, contract::text, last_block from escrow.event_sync_cursor',
    $$values ('bsc', '0x00000000000000000000000000000000000000cc', 21::bigint)$$,
    'the cursor is at the last block, and keeps its contract'
);
select pg_temp.apply(20, 'seller_confirmed', '{"order_id": 1}');
select is((select count(*)::integer from escrow.chain_event), 3, 'the same event again changes nothing');
update escrow.event_sync_cursor set updated_at = now() - interval '1 day';
select pg_temp.apply(
    19, 'created', '{"order_id": 1, "buyer": "0x00000000000000000000000000000000000000b1", "seller": null, "gas": 1}'
);
select results_eq(
    'select count(*)::integer, max(c.updated_at) from escrow.chain_event, escrow.event_sync_cursor as c',
    'values (3, now())', 'in whatever spelling it comes; but it tells that somebody reads'
);
update escrow.chain_event as e
set payload = e.payload || '{"buyer": "0x00000000000000000000000000000000000000B1", "gas": 2}'
where e.block = 19;
select lives_ok(
    $$select pg_temp.apply(
        19, 'created', '{"order_id": 1, "buyer": "0x00000000000000000000000000000000000000b1"}'
    )$$, 'also when it was stored as it came'
);
select throws_ok(
    $$select pg_temp.apply(20, 'disputed', '{"order_id": 1}')$$, 'PT409', 'another event is known at this place',
    'a re-organisation that was not rolled back is found out'
);
select pg_temp.apply(
    22, 'arbitrator_registered', '{"wallet": "0x00000000000000000000000000000000000000B3", "stake_amount": "500.5",
    "stake_token": "0x00000000000000000000000000000000000000cc"}'
);
select results_eq(
    'select wallet::text, stake_amount, is_active from escrow.arbitrators',
    format('values (%L, 500.5, true)', :other), 'the pool''s events make arbitrators'
);
select pg_temp.apply(
    22, 'arbitrator_registered', '{"wallet": "0x00000000000000000000000000000000000000b3", "stake_amount": "500.500",
    "stake_token": "0x00000000000000000000000000000000000000CC"}'
);
select is(
    (
        select e.payload from escrow.chain_event as e
        where e.block = 22
    ),
    '{"wallet": "0x00000000000000000000000000000000000000b3", "stake_amount": "500.5",
    "stake_token": "0x00000000000000000000000000000000000000cc"}'::jsonb,
    'an event is kept in one spelling, and is the same in another'
);

-- What a stranger does on the chain never stops who follows it.
select pg_temp.make_order(2, :buyer);
select pg_temp.apply(23, 'created', '{"order_id": 2, "amount": "12.5", "token": "USDC"}');
select results_eq(
    'select amount, platform_fee, token::text from escrow.orders where onchain_order_id = 2',
    $$values (12.5, 0.25, 'USDC')$$, 'what the contract was paid is what an order is about'
);
select lives_ok(
    $$select pg_temp.apply(24, 'created', '{"order_id": 2, "amount": "0.000001"}')$$,
    'an order of next to nothing is an event'
);
select results_eq(
    'select onchain_order_id, status::text, amount from escrow.orders where onchain_order_id <> 1',
    $$values (-1::bigint, 'expired', 12.5)$$, 'but no order'
);
set local role aqm_wallet;
select throws_ok(
    $$select escrow.apply_chain_event(
        'bsc', '0x00000000000000000000000000000000000000cc', 1, 0, 'completed', '{"order_id": 1}'
    )$$,
    '42501', null, 'no wallet speaks for a contract'
);
reset role;

select * from finish();
rollback;
