create or replace function gateway.expose_stream(
    p_route text,
    p_function text,
    p_channel text,
    p_caller_argument text default null
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into gateway.route (method, path, function_name, channel, caller_argument)
    values (
        split_part(p_route, ' ', 1), substr(p_route, strpos(p_route, ' ') + 1), p_function,
        coalesce(p_channel, ''), p_caller_argument
    );
end
$$;

comment on function gateway.expose_stream(text, text, text, text) is
'Makes a function a stream of server-sent events; called in the function''s own file, at each migrate. The gateway runs it when a client opens the stream and again at each notification, and sends its rows: the state of now, never a queue.
p_route: method and path, like ''GET /v1/coins/watch''. p_function: schema and name of a STABLE function of one uuid, which returns rows of a composite type; their first column, event, is the event''s name, the others are its data. p_channel: what to NOTIFY when the state has changed; the payload is the uuid, or * for all of them. p_caller_argument: the argument that is the caller, filled from the token.
Errors: 23514 for a malformed route or channel, 23505 for a route that is taken; gateway.find_broken_routes() names what does not fit together.';

revoke all on function gateway.expose_stream(text, text, text, text) from public;
grant execute on function gateway.expose_stream(text, text, text, text)
to aqm_auth_owner, aqm_coins_owner, aqm_escrow_owner, aqm_ops_owner;
