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
        select
            lower(e.payload ->> 'buyer') <> lower(p_buyer_wallet)
            or lower(e.payload ->> 'seller') <> lower(p_seller_wallet)
        from escrow.chain_event as e
        where e.chain = p_chain and e.onchain_order_id = p_onchain_order_id and e.kind = 'created'
        order by e.block desc, e.log_index desc
        limit 1
    ), false);
end
$$;

comment on function escrow.is_false_order(escrow.chain_type, bigint, text, text) is
'Whether the contract says that an order of this number is between others.
p_chain: whose contract. p_onchain_order_id: its number there. p_buyer_wallet, p_seller_wallet: who it is said to be between.
Returns false also when the contract has not told yet.
Errors: none.';

revoke all on function escrow.is_false_order(escrow.chain_type, bigint, text, text) from public;
