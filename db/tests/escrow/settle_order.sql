begin;
select plan(9);

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

create view pg_temp.people as
select
    u.wallet::text,
    u.total_trades,
    u.total_as_buyer,
    u.total_as_seller,
    u.reputation_score
from escrow.user_profiles as u
where u.total_trades <> 0 or u.reputation_score <> 0
order by 1;
select pg_temp.order_at(1, 'seller_confirmed') as id \gset

select is_empty('select * from pg_temp.people', 'what is not over counts for nobody');
update escrow.orders set status = 'completed';
select results_eq(
    'select * from pg_temp.people', format('values (%L, 1, 1, 0, 1.00), (%L, 1, 0, 1, 1.00)', :buyer, :seller),
    'a trade counts for both'
);
update escrow.orders set status = 'completed', tx_hash_complete = 'tx';
select results_eq(
    'select * from pg_temp.people', format('values (%L, 1, 1, 0, 1.00), (%L, 1, 0, 1, 1.00)', :buyer, :seller),
    'what stays as it was counts no second time'
);
select is((select p.total_sold from escrow.products as p), 1, 'nor is it sold twice');
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
values ('bsc', 1, 0, 'c', 'cancelled', 1, '{}');
update escrow.orders set chain_status = 'cancelled';
select is_empty('select * from pg_temp.people', 'what was counted is taken back; who cancelled is not known');
update escrow.orders set cancelled_by = :seller;
select results_eq(
    'select * from pg_temp.people', format('values (%L, 0, 0, 0, -2.00)', :seller), 'as soon as it is, it costs'
);
update escrow.orders set cancelled_by = :buyer;
select results_eq(
    'select * from pg_temp.people', format('values (%L, 0, 0, 0, -0.50)', :buyer), 'the one who did it, and no other'
);
update escrow.chain_event as e set payload = jsonb_build_object('by', :seller);
update escrow.orders set updated_at = now();
select results_eq(
    'select * from pg_temp.people', format('values (%L, 0, 0, 0, -2.00)', :seller),
    'whatever statement it is by which it is noted'
);
select is_empty(
    'select u.wallet, r.wallet from escrow.user_profiles as u, escrow.recompute_profile(u.wallet) as r
    where (u.reputation_score, u.total_trades) is distinct from (r.reputation_score, r.total_trades)',
    'counting from scratch gives the same'
);

select * from finish();
rollback;
