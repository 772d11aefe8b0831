create or replace function escrow.list_messages(
    p_order_id uuid,
    p_wallet gateway.wallet,
    p_after uuid default null,
    p_limit integer default 50
)
returns setof escrow.message_view
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_order escrow.orders;
    v_actor text;
    v_after timestamptz := '-infinity'::timestamptz;
begin
    perform escrow.check_page(p_limit);
    select o.* into v_order from escrow.orders as o where o.id = p_order_id;
    v_actor := escrow.actor_of(v_order, p_wallet);
    if v_actor is null then
        raise exception using errcode = 'PT404', message = 'there is no such order';
    elsif v_actor = 'arbitrator' and v_order.status <> 'disputed' then
        raise exception using errcode = 'insufficient_privilege', constraint = 'not_disputed',
            message = 'an arbitrator reads and writes messages while the order is disputed';
    end if;
    if p_after is not null then
        select m.created_at into v_after from escrow.messages as m where m.id = p_after and m.order_id = p_order_id;
        if not found then
            raise exception using errcode = 'invalid_parameter_value', message = 'after must be a message of the order';
        end if;
    end if;

    return query
    select m.id, m.sender_wallet::text, decode(m.ciphertext, 'base64'), decode(m.nonce, 'base64'), m.created_at
    from escrow.messages as m
    where m.order_id = p_order_id and (p_after is null or (m.created_at, m.id) > (v_after, p_after))
    order by m.created_at, m.id
    limit p_limit;
end
$$;

comment on function escrow.list_messages(uuid, gateway.wallet, uuid, integer) is
'Lists the messages of an order, a page at a time.
p_order_id: which order. p_wallet: a party of it, or its arbitrator while it is disputed. p_after: the last id of the page before; null: from the oldest. p_limit: 1 to 100.
Returns messages, the oldest first.
Errors: 22023 for a limit out of range, or an after that is no message of the order; PT404 when there is no such order, or it is none of theirs; 42501 (not_disputed) for the arbitrator of an order that is not disputed any more.';

revoke all on function escrow.list_messages(uuid, gateway.wallet, uuid, integer) from public;
grant execute on function escrow.list_messages(uuid, gateway.wallet, uuid, integer) to aqm_wallet, aqm_admin;

select gateway.expose(
    'GET /v1/escrow/orders/{order_id}/messages', 'escrow.list_messages', 'messages', p_caller_argument => 'p_wallet'
);
