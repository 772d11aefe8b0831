-- Two parties, an arbitrator, a stranger, a product, and what makes orders of it that have come to a status.
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
