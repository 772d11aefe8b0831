begin;
select plan(11);

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

-- Two events of one kind: the later by its place wins, whichever came last.
create function pg_temp.say(p_block bigint, p_kind text, p_payload text) returns void language sql as $$
    insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
    values ('bsc', p_block, 1, 'c', p_kind, 3, p_payload::jsonb);
    select escrow.sync_order('bsc', 3)
$$;
prepare told as select
    o.cancelled_by::text,
    o.tx_hash_complete::text,
    o.amount,
    o.platform_fee,
    o.token::text
from escrow.orders as o
where o.onchain_order_id = 3;
select pg_temp.make_order(3, :buyer);
select pg_temp.say(20, 'created', '{"amount": "20", "token": "USDC"}');
select pg_temp.say(19, 'created', '{"amount": "19", "token": "USDT"}');
select results_eq(
    'told', $$values (null::text, null::text, 20::numeric, 0.4, 'USDC')$$, 'an order has the amount that was paid'
);
select pg_temp.say(30, 'cancelled', format('{"by": "%s"}', :buyer));
select pg_temp.say(31, 'cancelled', format('{"by": "%s"}', :seller));
select results_eq(
    'told', format($$values (%L, null::text, 20::numeric, 0.4, 'USDC')$$, :seller), 'and who cancelled it last'
);
select is(escrow.check_profiles(), 0::bigint, 'which is counted at once');
select pg_temp.say(40, 'completed', '{"tx_hash": "0x40"}');
select pg_temp.say(41, 'completed', '{"tx_hash": "0x41"}');
select pg_temp.say(39, 'completed', '{"tx_hash": "0x39"}');
select results_eq(
    'told', $$values (null::text, '0x41', 20::numeric, 0.4, 'USDC')$$, 'and the transaction that completed it last'
);
do $$ begin
    perform escrow.add_review(o.id, o.buyer_wallet, 5), escrow.add_review(o.id, o.seller_wallet, 4)
    from escrow.orders as o where o.onchain_order_id = 3;
end $$;
select pg_temp.say(21, 'created', '{"amount": "0.5"}');
select is_empty(
    'select from escrow.reviews union all select from escrow.user_profiles as u where u.rating is not null',
    'reviews of an order that is false are gone, and so is what they counted'
);
select is(escrow.check_profiles(), 0::bigint, 'as when all is counted from scratch');

select * from finish();
rollback;
