create or replace function escrow.check_step(
    p_order escrow.orders,
    p_to escrow.order_status,
    p_actor text,
    p_wallet text
)
returns escrow.order_status
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_from escrow.order_status;
begin
    select t.from_status into v_from
    from escrow.order_transition as t
    where t.to_status = p_to and t.actor = p_actor and (
        t.from_status = p_order.status
        -- The contract's event was here before the party who caused it: what only the party knows is noted yet, once.
        or p_order.status = p_to and p_order.chain_status = p_to
        and coalesce(p_order.cancelled_by, p_wallet) = p_wallet
        and not exists (
            select from escrow.order_step as s
            where s.order_id = p_order.id and s.to_status = p_to
        )
    );
    if found then
        if p_actor = 'arbitrator' and v_from = p_order.status and p_order.dispute_deadline <= now() then
            raise exception using errcode = 'PT409', message = 'the dispute''s deadline has passed',
                constraint = 'dispute_deadline';
        end if;
        return v_from;
    elsif exists (
        select from escrow.order_transition as t
        where t.from_status = p_order.status and t.to_status = p_to
    ) then
        raise exception using errcode = 'insufficient_privilege', constraint = 'not_your_step',
            message = format('an order that is %s can become %s, but not by its %s', p_order.status, p_to, p_actor);
    end if;
    raise exception using errcode = 'PT409',
        message = format('an order that is %s can''t become %s', p_order.status, p_to),
        constraint = 'order_transition';
end
$$;

comment on function escrow.check_step(escrow.orders, escrow.order_status, text, text) is
'Refuses a step that order_transition does not have.
p_order: the order, locked. p_to: its status after the step. p_actor: what escrow.actor_of() says of who takes it. p_wallet: who that is.
Returns from which status the step leads.
Errors: PT409 for a step that nobody may take now (order_transition), or a ruling that is too late (dispute_deadline); 42501 (not_your_step) for one that only another may take.';

revoke all on function escrow.check_step(escrow.orders, escrow.order_status, text, text) from public;
