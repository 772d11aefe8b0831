create or replace function gateway.expose_metric(
    p_name text,
    p_function text
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Said here, at the line that is wrong: a gateway could not read its catalog.
    perform p_function::regproc;
    insert into gateway.metric (name, function_name) values (p_name, p_function);
end
$$;

comment on function gateway.expose_metric(text, text) is
'Makes a function a Prometheus gauge in the gateway''s /metrics; called in the function''s own file, at each migrate.
p_name: name of the metric, aqm_…. p_function: schema and name of a function without arguments that aqm_gateway may call; its column "value" is the value, its other columns are labels, its comment is the help.
Errors: 42883 when there is no such function, 42725 when there are two, 23514 for a malformed name, 23505 for one that is taken.';

revoke all on function gateway.expose_metric(text, text) from public;
grant execute on function gateway.expose_metric(text, text)
to aqm_auth_owner, aqm_coins_owner, aqm_escrow_owner, aqm_ops_owner;
