create or replace function escrow.send_message(
    p_order_id uuid,
    p_sender_wallet gateway.wallet,
    p_ciphertext bytea,
    p_nonce bytea
)
returns setof escrow.message_view
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_order escrow.orders;
begin
    if (octet_length(p_ciphertext) between 1 and 65536) is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'ciphertext must have between 1 and 65536 bytes';
    elsif (octet_length(p_nonce) = 24) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'nonce must have 24 bytes';
    end if;
    select o.* into v_order from escrow.lock_own_order(p_order_id, p_sender_wallet) as o;
    if not found then
        return;
    elsif escrow.actor_of(v_order, p_sender_wallet) = 'arbitrator' and v_order.status <> 'disputed' then
        raise exception using errcode = 'insufficient_privilege',
            message = 'an arbitrator reads and writes messages while the order is disputed';
    end if;

    return query
    insert into escrow.messages as m (order_id, sender_wallet, ciphertext, nonce, created_at)
    values (
        p_order_id, p_sender_wallet, replace(encode(p_ciphertext, 'base64'), chr(10), ''), encode(p_nonce, 'base64'),
        -- The time since the lock, not since the transaction began: who has read up to a message misses no earlier one.
        clock_timestamp()
    )
    returning m.id, m.sender_wallet::text, p_ciphertext, p_nonce, m.created_at;
end
$$;

comment on function escrow.send_message(uuid, gateway.wallet, bytea, bytea) is
'Sends a message within an order, encrypted end to end.
p_order_id: which order. p_sender_wallet: a party of it, or its arbitrator while it is disputed. p_ciphertext: NaCl box, 1 to 65536 bytes. p_nonce: its nonce, 24 bytes.
Returns the message; no row when there is no such order, or it is none of theirs.
Errors: 22023 for a malformed argument; 42501 for the arbitrator of an order that is not disputed any more, or a blacklisted wallet.';

revoke all on function escrow.send_message(uuid, gateway.wallet, bytea, bytea) from public;
grant execute on function escrow.send_message(uuid, gateway.wallet, bytea, bytea) to aqm_wallet;

select gateway.expose(
    'POST /v1/escrow/orders/{order_id}/messages', 'escrow.send_message', p_caller_argument => 'p_sender_wallet'
);
