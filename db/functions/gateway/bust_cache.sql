create or replace function gateway.bust_cache(
    p_function text
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_notify('gateway', 'bust ' || p_function);
end
$$;

comment on function gateway.bust_cache(text) is
'Makes gateways forget the answers that they keep of a function; called by whoever changes what it tells.
p_function: schema and name, as gateway.expose() was told.
Errors: none.';

revoke all on function gateway.bust_cache(text) from public;
grant execute on function gateway.bust_cache(text) to aqm_auth_owner, aqm_coins_owner, aqm_escrow_owner;
