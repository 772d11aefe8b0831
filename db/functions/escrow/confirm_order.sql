create or replace function escrow.confirm_order(
    p_id uuid,
    p_seller_wallet gateway.wallet,
    p_product_key_encrypted bytea,
    p_tx_hash text
)
returns setof escrow.order_view
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if (octet_length(p_product_key_encrypted) between 1 and 4096) is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'product_key_encrypted_b64 must have between 1 and 4096 bytes';
    end if;
    return query
    select *
    from escrow.take_step(
        p_id, p_seller_wallet, 'seller_confirmed', p_tx_hash,
        replace(encode(p_product_key_encrypted, 'base64'), chr(10), '')
    );
end
$$;

comment on function escrow.confirm_order(uuid, gateway.wallet, bytea, text) is
'Confirms an order as its seller, and hands over the product''s key, encrypted for the buyer. Where the contract, or the buyer after it, has moved the order on already, the key is added as long as there is none, and the status stays. The same step of the same transaction again changes nothing.
p_id: which order. p_seller_wallet: who sells it. p_product_key_encrypted: 1 to 4096 bytes. p_tx_hash: the contract''s transaction, 0x and 64 hex digits.
Returns the order; no row when there is none, or it is none of theirs.
Errors: 22023 for a malformed argument; 42501 for anybody else of the order, or a blacklisted wallet; PT409 (order_transition) when it is not created and has its key, or is over otherwise; PT409 (product_key) for the same transaction with another key.';

revoke all on function escrow.confirm_order(uuid, gateway.wallet, bytea, text) from public;
grant execute on function escrow.confirm_order(uuid, gateway.wallet, bytea, text) to aqm_wallet;

select gateway.expose(
    'POST /v1/escrow/orders/{id}/confirm', 'escrow.confirm_order', p_caller_argument => 'p_seller_wallet'
);
