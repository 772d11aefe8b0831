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
    v_ciphertext constant text := replace(encode(p_ciphertext, 'base64'), chr(10), '');
    v_nonce constant text := encode(p_nonce, 'base64');
    v_sent escrow.messages;
begin
    if (octet_length(p_ciphertext) between 1 and 65536) is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'ciphertext_b64 must have between 1 and 65536 bytes';
    elsif (octet_length(p_nonce) = 24) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'nonce_b64 must have 24 bytes';
    end if;
    select o.* into v_order from escrow.lock_own_order(p_order_id, p_sender_wallet) as o;
    if not found then
        return;
    elsif escrow.actor_of(v_order, p_sender_wallet) = 'arbitrator' and v_order.status <> 'disputed' then
        raise exception using errcode = 'insufficient_privilege', constraint = 'not_disputed',
            message = 'an arbitrator reads and writes messages while the order is disputed';
    end if;

    -- The same again: an answer was lost. Of two at once the second waited for the lock on the order.
    select m.* into v_sent
    from escrow.messages as m
    where
        m.order_id = p_order_id
        and m.created_at > now() - interval '24 hours'
        and m.sender_wallet = p_sender_wallet
        and m.nonce = v_nonce
    order by m.ciphertext = v_ciphertext desc
    limit 1;
    if not found then
        insert into escrow.messages as m (order_id, sender_wallet, ciphertext, nonce, created_at)
        -- The time since the lock, not since the transaction began: who has read up to a message misses no earlier one.
        values (p_order_id, p_sender_wallet, v_ciphertext, v_nonce, clock_timestamp())
        returning m.* into v_sent;
    elsif v_sent.ciphertext <> v_ciphertext then
        -- Two boxes with one nonce give away both.
        raise exception using errcode = 'PT409', message = 'nonce_b64 is that of another message',
            constraint = 'nonce_reused';
    end if;
    return query select v_sent.id, p_sender_wallet::text, p_ciphertext, p_nonce, v_sent.created_at;
end
$$;

comment on function escrow.send_message(uuid, gateway.wallet, bytea, bytea) is
'Sends a message within an order, encrypted end to end. The same again within 24 hours is answered with the first one.
p_order_id: which order. p_sender_wallet: a party of it, or its arbitrator while it is disputed. p_ciphertext: NaCl box, 1 to 65536 bytes. p_nonce: its nonce, 24 bytes, new for each message.
Returns the message; no row when there is no such order, or it is none of theirs.
Errors: 22023 for a malformed argument; 42501 for the arbitrator of an order that is not disputed any more (not_disputed), or a blacklisted wallet (blacklisted); PT409 (nonce_reused) for a nonce with which the sender has sent another message in 24 hours.';

revoke all on function escrow.send_message(uuid, gateway.wallet, bytea, bytea) from public;
grant execute on function escrow.send_message(uuid, gateway.wallet, bytea, bytea) to aqm_wallet;

select gateway.expose(
    'POST /v1/escrow/orders/{order_id}/messages', 'escrow.send_message', p_caller_argument => 'p_sender_wallet'
);
