begin;
select plan(4);

\ir setup/orders.sql

insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
values ('bsc', 1, 1, :judge, 'created', 1, '{}');
select pg_temp.order_at(1, 'resolved_buyer') as id \gset
update escrow.orders set
    product_key_encrypted = encode('key', 'base64'), tx_hash_complete = 'done', cancelled_by = :buyer,
    product_hash = 'as it was';

select results_eq(
    'select v.* from escrow.orders as o, escrow.order_as_view(o) as v',
    $$select
        o.id, o.onchain_order_id, o.chain, o.buyer_wallet::text, o.seller_wallet::text, o.arbitrator_wallet::text,
        o.product_id, o.token, o.amount::numeric, o.platform_fee::numeric, o.status, 'key'::bytea,
        o.tx_hash_create::text, o.tx_hash_complete::text, o.cancelled_by::text, o.seller_confirmed_at,
        o.dispute_opened_at, o.dispute_deadline, o.completed_at, o.created_at, o.updated_at,
        'created'::escrow.order_status, 'Title', 'as it was'
    from escrow.orders as o$$,
    'a view has what the row has, and the key as bytes'
);
select is(
    (
        select count(*)
        from escrow.orders as o, escrow.order_as_view(o) as v, jsonb_each_text(to_jsonb(v)) as f (name, value)
        where f.value is null
    ), 0::bigint, 'nothing of this order is missing'
);
update escrow.orders set product_key_encrypted = null;
select is(
    (select v.product_key_encrypted from escrow.orders as o, escrow.order_as_view(o) as v), null, 'no key is none'
);
update escrow.orders set
    product_key_encrypted = replace(encode(decode(repeat('00ff', 2000), 'hex'), 'base64'), chr(10), '');
select is(
    (select v.product_key_encrypted from escrow.orders as o, escrow.order_as_view(o) as v),
    decode(repeat('00ff', 2000), 'hex'), 'a long one is whole'
);

select * from finish();
rollback;
