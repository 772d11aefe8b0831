create or replace function escrow.settle_order()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_was escrow.order_status := 'created'::escrow.order_status;
    v_canceller text;
begin
    if tg_op = 'UPDATE' then
        v_was := old.status;
        v_canceller := old.cancelled_by;
    end if;
    if v_was <> new.status or v_canceller is distinct from new.cancelled_by then
        perform escrow.settle_stock(new, v_was);
        perform escrow.settle_profiles(new, v_was, v_canceller);
    end if;
    if tg_op = 'UPDATE' and new.onchain_order_id < 0 and old.onchain_order_id >= 0 then
        perform escrow.take_reviews_back(new);
    end if;
    return null;
end
$$;

comment on function escrow.settle_order() is
'Carries an order''s new status over to its product and to the profiles of its parties, in the same transaction. Reviews of an order that turns out to be false go.
Errors: none.';

revoke all on function escrow.settle_order() from public;

select ops.keep_trigger(
    'escrow.orders',
    'settle_order',
    'after insert or update on escrow.orders for each row execute function escrow.settle_order()'
);
