create or replace function escrow.order_as_view(
    p_order escrow.orders
)
returns setof escrow.order_view
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        p_order.id, p_order.onchain_order_id, p_order.chain, p_order.buyer_wallet::text, p_order.seller_wallet::text,
        p_order.arbitrator_wallet::text, p_order.product_id, p_order.token, p_order.amount, p_order.platform_fee,
        p_order.status, decode(p_order.product_key_encrypted, 'base64'), p_order.tx_hash_create::text,
        p_order.tx_hash_complete::text, p_order.cancelled_by::text, p_order.seller_confirmed_at,
        p_order.dispute_opened_at, p_order.dispute_deadline, p_order.completed_at, p_order.created_at,
        p_order.updated_at, p_order.chain_status, p.title_preview::text, p_order.product_hash::text
    from escrow.products as p
    where p.id = p_order.product_id;
end
$$;

comment on function escrow.order_as_view(escrow.orders) is
'An order as its parties and its arbitrator are shown it.
p_order: the row.
Returns one row.
Errors: none.';

revoke all on function escrow.order_as_view(escrow.orders) from public;
