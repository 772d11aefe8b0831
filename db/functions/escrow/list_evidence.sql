create or replace function escrow.list_evidence(
    p_order_id uuid,
    p_wallet gateway.wallet,
    p_after uuid default null,
    p_limit integer default 50
)
returns setof escrow.evidence_view
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_after timestamptz := '-infinity'::timestamptz;
begin
    perform escrow.check_page(p_limit);
    if not exists (
        select from escrow.orders as o
        where o.id = p_order_id and escrow.actor_of(o, p_wallet) is not null
    ) then
        raise exception using errcode = 'PT404', message = 'there is no such order';
    end if;
    if p_after is not null then
        select e.created_at into v_after
        from escrow.dispute_evidence as e
        where e.id = p_after and e.order_id = p_order_id;
        if not found then
            raise exception using errcode = 'invalid_parameter_value', message = 'after must be evidence of the order';
        end if;
    end if;

    return query
    select e.id, e.submitter_wallet::text, e.ipfs_hash::text, e.evidence_type, e.created_at
    from escrow.dispute_evidence as e
    where e.order_id = p_order_id and (p_after is null or (e.created_at, e.id) > (v_after, p_after))
    order by e.created_at, e.id
    limit p_limit;
end
$$;

comment on function escrow.list_evidence(uuid, gateway.wallet, uuid, integer) is
'Lists the evidence of a dispute, a page at a time.
p_order_id: which order. p_wallet: a party of it, or its arbitrator. p_after: the last id of the page before; null: from the oldest. p_limit: 1 to 100.
Returns evidence, the oldest first.
Errors: 22023 for a limit out of range, or an after that is no evidence of the order; PT404 when there is no such order, or it is none of theirs.';

revoke all on function escrow.list_evidence(uuid, gateway.wallet, uuid, integer) from public;
grant execute on function escrow.list_evidence(uuid, gateway.wallet, uuid, integer) to aqm_wallet, aqm_admin;

select gateway.expose(
    'GET /v1/escrow/disputes/{order_id}/evidence', 'escrow.list_evidence', 'evidence', p_caller_argument => 'p_wallet'
);
