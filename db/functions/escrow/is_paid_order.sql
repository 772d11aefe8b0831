create or replace function escrow.is_paid_order(
    p_chain escrow.chain_type,
    p_onchain_order_id bigint,
    p_buyer_wallet text,
    p_seller_wallet text
)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return coalesce((
        select (t.buyer, t.seller) = (lower(p_buyer_wallet), lower(p_seller_wallet))
        from escrow.find_terms(p_chain, p_onchain_order_id) as t
    ), false);
end
$$;

comment on function escrow.is_paid_order(escrow.chain_type, bigint, text, text) is
'Whether the contract says that it holds the money of an order of this number between these two.
p_chain: whose contract. p_onchain_order_id: its number there. p_buyer_wallet, p_seller_wallet: who it is said to be between.
Returns false also when the contract has not told yet, or does not name both.
Errors: none.';

revoke all on function escrow.is_paid_order(escrow.chain_type, bigint, text, text) from public;
