create or replace function escrow.lock_onchain_orders(
    p_chain escrow.chain_type,
    p_onchain_order_ids bigint[]
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_number bigint;
    v_products uuid[];
    v_wallets text[];
begin
    foreach v_number in array array(select distinct n.n from unnest(p_onchain_order_ids) as n (n) order by n.n) loop
        perform escrow.lock_onchain_order(p_chain, v_number);
    end loop;
    perform from escrow.orders as o
    where o.chain = p_chain and o.onchain_order_id = any(p_onchain_order_ids)
    order by o.onchain_order_id
    for no key update;
    select array_agg(o.product_id), array_agg(o.buyer_wallet) || array_agg(o.seller_wallet)
    into v_products, v_wallets
    from escrow.orders as o
    where o.chain = p_chain and o.onchain_order_id = any(p_onchain_order_ids);
    perform from escrow.products as p where p.id = any(v_products) order by p.id for no key update;
    perform from escrow.user_profiles as u where u.wallet = any(v_wallets) order by u.wallet for no key update;
end
$$;

comment on function escrow.lock_onchain_orders(escrow.chain_type, bigint[]) is
'Locks many orders with their products and the profiles of their parties, in the order in which a step of one order does: who changes many never waits for who waits for it.
p_chain: whose contract. p_onchain_order_ids: their numbers there; rows may be missing.
Errors: none.';

revoke all on function escrow.lock_onchain_orders(escrow.chain_type, bigint[]) from public;
