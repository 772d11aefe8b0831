create or replace function escrow.is_false_order(
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
        -- Less than the table's least amount, or something else: anybody can pay that, and the chain's follower must get
        -- past it.
        select
            t.buyer <> lower(p_buyer_wallet) or t.seller <> lower(p_seller_wallet) or t.amount < 1
            or t.token <> all(enum_range(null::escrow.token_type)::text[])
        from escrow.find_terms(p_chain, p_onchain_order_id) as t
    ), false);
end
$$;

comment on function escrow.is_false_order(escrow.chain_type, bigint, text, text) is
'Whether the contract says that an order of this number is between others, or of less than 1 USDT or USDC, or of another token.
p_chain: whose contract. p_onchain_order_id: its number there. p_buyer_wallet, p_seller_wallet: who it is said to be between.
Returns false also when the contract has not told yet.
Errors: none.';

revoke all on function escrow.is_false_order(escrow.chain_type, bigint, text, text) from public;
