begin;
select plan(4);

\set buyer '''0x00000000000000000000000000000000000000b1'''
\set seller '''0x00000000000000000000000000000000000000b2'''
\set judge '''0x00000000000000000000000000000000000000b3'''
\set stranger '''0x00000000000000000000000000000000000000b4'''
\set product '''d0000000-0000-4000-8000-000000000000'''
insert into escrow.user_profiles (wallet, public_key, created_at)
values
(:buyer, 'cHVi', now() - interval '30 days'), (:seller, 'cHVi', now() - interval '30 days'),
(:judge, 'cHVi', now() - interval '30 days'), (:stranger, 'cHVi', now() - interval '30 days');
insert into escrow.arbitrators (wallet, stake_amount, stake_token) values (:judge, 500, :judge);
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
)
values (:product, :seller, 'Title', 'Text', 'data', 10, 30, 'hash');
create function pg_temp.order_at(p_number integer, p_status text) returns uuid language plpgsql as $$
declare
    v_id uuid := format('0a000000-0000-4000-8000-%s', lpad(p_number::text, 12, '0'));
    v_step text;
begin
    insert into escrow.orders (
        id, onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount, platform_fee,
        tx_hash_create
    )
    values (
        v_id, p_number, 'bsc', '0x00000000000000000000000000000000000000b1',
        '0x00000000000000000000000000000000000000b2', 'd0000000-0000-4000-8000-000000000000', 'USDT', 10, 0.2, 'tx'
    );
    foreach v_step in array case p_status
        when 'created' then '{}'
        when 'cancelled' then '{cancelled}'
        when 'expired' then '{expired}'
        when 'seller_confirmed' then '{seller_confirmed}'
        when 'completed' then '{seller_confirmed,completed}'
        when 'disputed' then '{seller_confirmed,disputed}'
        else array['seller_confirmed', 'disputed', p_status]
    end::text[]
    loop
        update escrow.orders as o set status = v_step::escrow.order_status where o.id = v_id;
    end loop;
    return v_id;
end
$$;

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
