create or replace function coins.claims_last_hour()
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select count(*) from coins.coin_inventory as ci
        where ci.fetched_at > now() - interval '1 hour' and ci.fetched_by is not null
    );
end
$$;

comment on function coins.claims_last_hour() is
'Counts the coins claimed in the last hour; after a hard delete with a shorter grace period it can only see the rest.
Errors: none.';

revoke all on function coins.claims_last_hour() from public;
grant execute on function coins.claims_last_hour() to aqm_monitor;
