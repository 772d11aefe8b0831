create or replace function escrow.is_reachable(
    p_from escrow.order_status,
    p_to escrow.order_status
)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return exists (
        with recursive reached as (
            select p_from as status
            union
            select t.to_status
            from reached as r
            inner join escrow.order_transition as t on t.from_status = r.status
        )

        select from reached as r where r.status = p_to
    );
end
$$;

comment on function escrow.is_reachable(escrow.order_status, escrow.order_status) is
'Whether an order can come from one status to another by steps of order_transition, none included.
p_from, p_to: statuses.
Errors: none.';

revoke all on function escrow.is_reachable(escrow.order_status, escrow.order_status) from public;
