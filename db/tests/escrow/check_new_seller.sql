begin;
select plan(6);

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

create function pg_temp.check(p_amount numeric) returns void language sql as $$
    select escrow.check_new_seller(
        '0x00000000000000000000000000000000000000b2', '0x00000000000000000000000000000000000000b1', p_amount
    )
$$;
select count(pg_temp.order_at(n, 'cancelled')) as made from generate_series(1, 3) as n;

select lives_ok('select pg_temp.check(51)', 'who has been here for long may sell what they like');
update escrow.user_profiles set created_at = now() - interval '6 days';
select throws_ok(
    'select pg_temp.check(51)', 'PT409', 'a new seller''s orders have at most 50 USDT', 'a new seller nothing dear'
);
select throws_ok(
    'select pg_temp.check(50)', 'PT409', 'a new seller has at most 3 orders in 24 hours',
    'nor a fourth in a day, though the others were cancelled'
);
update escrow.orders set created_at = now() - interval '1 day'
where onchain_order_id = 1;
select lives_ok('select pg_temp.check(50)', 'the third is allowed');
update escrow.user_profiles set created_at = now() - interval '7 days'
where wallet = :seller;
select lives_ok('select pg_temp.check(51)', 'a week makes a seller, however new the buyer is');
select lives_ok(
    $$select escrow.check_new_seller('0x00', '0x01', 51)$$, 'who sells is asked for elsewhere'
);

select * from finish();
rollback;
