create or replace function escrow.guard_order()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_was escrow.order_status := 'created'::escrow.order_status;
begin
    if tg_op = 'INSERT' then
        if new.status <> 'created' then
            raise exception using errcode = 'PT409', message = 'an order begins as created',
                constraint = 'order_transition';
        end if;
        -- An event that comes at the same time is seen here, or sees the row.
        perform escrow.lock_onchain_order(new.chain, new.onchain_order_id);
        if escrow.is_false_order(new.chain, new.onchain_order_id, new.buyer_wallet, new.seller_wallet) then
            raise exception using errcode = 'PT409',
                message = 'onchain_order_id is an order of others, or of less than 1 USDT',
                constraint = 'onchain_order_of_others';
        end if;
        new := escrow.follow_terms(new);
        new.party_status := 'created'::escrow.order_status;
        new.chain_status := (escrow.find_chain_status(new.chain, new.onchain_order_id)).chain_status;
        new.status := escrow.effective_status(new.party_status, new.chain_status);
    else
        v_was := old.status;
        perform escrow.check_order_change(old, new);
        if (new.onchain_order_id, new.chain_status) is distinct from (old.onchain_order_id, old.chain_status) then
            -- Nobody but the contract moves an order outside of the table of steps.
            if new.status <> old.status or new.chain_status is distinct from (
                escrow.find_chain_status(new.chain, new.onchain_order_id)
            ).chain_status then
                raise exception using errcode = 'PT409', message = 'chain_status follows from the contract''s events',
                    constraint = 'order_transition';
            end if;
            new.status := escrow.effective_status(new.party_status, new.chain_status);
        elsif new.status <> old.status then
            if not exists (
                select from escrow.order_transition as t
                where t.from_status = old.status and t.to_status = new.status
            ) then
                raise exception using errcode = 'PT409',
                    message = format('an order that is %s can''t become %s', old.status, new.status),
                    constraint = 'order_transition';
            end if;
            new.party_status := new.status;
        end if;
        new.updated_at := now();
    end if;
    return escrow.note_step(new, v_was);
end
$$;

comment on function escrow.guard_order() is
'Lets an order take the steps of order_transition and no others, and keep what it is about, whoever changes it and how. Where the contract went another way, the order follows it; where the contract has others under its number, or less than an order may have, it is refused, or loses the number.
Errors: PT409 (order_transition) for any other change of a status, and for what escrow.check_order_change() refuses; PT409 (onchain_order_of_others) for a new order that is false by what the contract says.';

revoke all on function escrow.guard_order() from public;

select ops.keep_trigger(
    'escrow.orders',
    'guard_order',
    'before insert or update on escrow.orders for each row execute function escrow.guard_order()'
);
