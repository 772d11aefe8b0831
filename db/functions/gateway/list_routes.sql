create or replace function gateway.list_routes(
    out method text,
    out path text,
    out function_name text,
    out rows_as text,
    out caller_argument text,
    out batch_function text,
    out may_use_replica boolean,
    out is_volatile boolean,
    out roles text[],
    out comment text,
    out headers jsonb,
    out channel text,
    out needs_keys boolean,
    out is_costly boolean,
    out cache_seconds integer
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        r.method,
        r.path,
        r.function_name,
        r.rows_as,
        r.caller_argument,
        r.batch_function,
        r.may_use_replica,
        f.provolatile = 'v',
        array(
            select http.role
            from unnest(array['anon', 'device', 'user', 'wallet', 'worker', 'admin']) with ordinality as http (role, place)
            where has_function_privilege('aqm_' || http.role, f.oid, 'execute')
            order by http.place
        ),
        obj_description(f.oid, 'pg_proc'),
        r.headers,
        r.channel,
        r.needs_keys,
        r.is_costly,
        r.cache_seconds
    from gateway.route as r
    inner join pg_proc as f on f.oid = r.function_name::regproc
    order by r.path, r.method;
end
$$;

comment on function gateway.list_routes() is
'Lists the endpoints, as the gateway reads them at its start and at NOTIFY gateway, ''reload''.
Returns a row a route; roles: the HTTP roles that may call it, the least first; headers: argument by request header; channel: of a stream, null for a call; needs_keys, is_costly, cache_seconds: as gateway.expose() was told.
Errors: 42883 when a route''s function is gone.';

revoke all on function gateway.list_routes() from public;
grant execute on function gateway.list_routes() to aqm_gateway, aqm_monitor;
