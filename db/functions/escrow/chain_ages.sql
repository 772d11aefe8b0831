create or replace function escrow.chain_ages(
    out chain text,
    out value double precision
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select c.chain::text, extract(epoch from now() - c.updated_at)::double precision
    from escrow.event_sync_cursor as c
    order by c.chain;
end
$$;

comment on function escrow.chain_ages() is
'Seconds since whoever follows a chain has last told of it, a row a chain that is followed.
Errors: none.';

revoke all on function escrow.chain_ages() from public;
grant execute on function escrow.chain_ages() to aqm_monitor, aqm_gateway;

select gateway.expose_metric('aqm_chain_age_seconds', 'escrow.chain_ages');
