create or replace function escrow.find_terms(
    p_chain escrow.chain_type,
    p_onchain_order_id bigint,
    out buyer text,
    out seller text,
    out amount numeric,
    out token text
)
returns record
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    select
        lower(e.payload ->> 'buyer'), lower(e.payload ->> 'seller'), (e.payload ->> 'amount')::numeric,
        e.payload ->> 'token'
    into buyer, seller, amount, token
    from escrow.chain_event as e
    where e.chain = p_chain and e.onchain_order_id = p_onchain_order_id and e.kind = 'created'
    order by e.block desc, e.log_index desc
    limit 1;
end
$$;

comment on function escrow.find_terms(escrow.chain_type, bigint) is
'What the contract says an order is about.
p_chain: whose contract. p_onchain_order_id: its number there.
Returns its parties, in lower case, and how much of which token was paid; null where its event `created` does not say, or has not come.
Errors: none.';

revoke all on function escrow.find_terms(escrow.chain_type, bigint) from public;
