create or replace function gateway.expose(
    p_route text,
    p_function text,
    p_rows_as text default null,
    p_caller_argument text default null,
    p_batch_function text default null,
    p_may_use_replica boolean default false,
    p_headers jsonb default '{}',
    p_needs_keys boolean default false,
    p_is_costly boolean default false,
    p_cache_seconds integer default null
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into gateway.route (
        method, path, function_name, rows_as, caller_argument, batch_function, may_use_replica, headers, needs_keys, is_costly,
        cache_seconds
    )
    values (
        split_part(p_route, ' ', 1), substr(p_route, strpos(p_route, ' ') + 1), p_function,
        p_rows_as, p_caller_argument, p_batch_function, p_may_use_replica, p_headers, p_needs_keys, p_is_costly,
        p_cache_seconds
    );
end
$$;

comment on function gateway.expose(text, text, text, text, text, boolean, jsonb, boolean, boolean, integer) is
'Makes a function an HTTP endpoint; called in the function''s own file, at each migrate. Arguments, result, roles and documentation are read from the catalog.
p_route: method and path, like ''GET /v1/coins/fetch''; a path part {name} is the argument p_name. p_function: schema and name of the function. p_rows_as: JSON name of the list of rows; null: the function''s one row is the answer. p_caller_argument: the argument that is the caller, filled from the token; an admin may name anyone. p_batch_function: the twin that answers many calls at once. p_may_use_replica: a replica may answer; for STABLE functions only. p_headers: request headers and the arguments that they alone carry, which need a default: ''{"Idempotency-Key": "p_request_id"}''; a call with an Idempotency-Key may be repeated. p_needs_keys: the call gets the data keys as settings of its transaction. p_is_costly: a call takes a core for long, as hashing a password does; a gateway gives all such calls together a share of the machine (AQM_COSTLY_CORES). p_cache_seconds: for a GET of a STABLE function, gateways keep each caller''s answer for so long, 1 to 86400, or until gateway.bust_cache(); null: they don''t.
Errors: 23514 for a malformed route, header or cache_seconds, 23505 for one that is taken; gateway.find_broken_routes() names what does not fit together.';

revoke all on function gateway.expose(
    text, text, text, text, text, boolean, jsonb, boolean, boolean, integer
) from public;
grant execute on function gateway.expose(
    text, text, text, text, text, boolean, jsonb, boolean, boolean, integer
)
to aqm_auth_owner, aqm_coins_owner, aqm_escrow_owner, aqm_ops_owner;
