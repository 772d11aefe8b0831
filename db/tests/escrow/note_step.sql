begin;
select plan(7);

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

select pg_temp.make_order(1, :buyer);
create function pg_temp.noted(p_status text, p_was text) returns escrow.orders language plpgsql as $$
declare
    v_order escrow.orders;
begin
    select * into v_order from escrow.orders as o;
    v_order.status := p_status;
    return escrow.note_step(v_order, p_was::escrow.order_status);
end
$$;
select results_eq(
    $$select seller_confirmed_at, dispute_opened_at, dispute_deadline, completed_at
    from pg_temp.noted('disputed', 'created')$$,
    $$values (now(), now(), now() + interval '72 hours', null::timestamptz)$$,
    'an order that the contract took further has all times of the way'
);
select results_eq(
    $$select seller_confirmed_at, dispute_opened_at, completed_at from pg_temp.noted('completed', 'created')$$,
    $$values (now(), null::timestamptz, now())$$,
    'times of another way are not noted'
);
insert into escrow.order_step (order_id, from_status, to_status, wallet)
select
    o.id,
    'created' as from_status,
    'cancelled' as to_status,
    o.buyer_wallet
from escrow.orders as o;
select is(
    (select n.cancelled_by::text from pg_temp.noted('cancelled', 'created') as n), :buyer,
    'without a word of the contract the party that took the step cancelled it'
);
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
values ('bsc', 7, 0, :other, 'cancelled', 1, '{"by": "0x00000000000000000000000000000000000000B2"}');
select is(
    (select n.cancelled_by::text from pg_temp.noted('cancelled', 'cancelled') as n), :seller,
    'the contract says who cancelled, whatever a party has said'
);
update escrow.chain_event as e set payload = '{"by": "0x00000000000000000000000000000000000000b3"}';
select is(
    (select n.cancelled_by::text from pg_temp.noted('cancelled', 'cancelled') as n), :buyer,
    'nobody but a party can have cancelled'
);
update escrow.chain_event as e set kind = 'completed', payload = '{"tx_hash": "0x01"}';
select results_eq(
    $$select tx_hash_complete::text, cancelled_by::text from pg_temp.noted('completed', 'cancelled')$$,
    $$values ('0x01', null::text)$$, 'the transaction that completed it is noted, and who cancelled it is forgotten'
);

insert into escrow.order_step (order_id, from_status, to_status, wallet, tx_hash)
select
    o.id,
    'seller_confirmed' as from_status,
    'completed' as to_status,
    o.buyer_wallet,
    '0x02' as tx_hash
from escrow.orders as o;
update escrow.chain_event as e set payload = '{}';
select is(
    (select n.tx_hash_complete::text from pg_temp.noted('completed', 'completed') as n), '0x02',
    'where the contract does not tell it, it is the party''s'
);

select * from finish();
rollback;
