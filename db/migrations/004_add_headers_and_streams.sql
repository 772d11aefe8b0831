set local role aqm_gateway_owner;

-- Each gets an argument or a column more: the files of today make them anew.
drop function if exists gateway.expose(text, text, text, text, text, boolean);
drop function if exists gateway.list_routes();

alter table gateway.route
add column headers jsonb not null default '{}'
constraint ck_route_headers check (
    jsonb_typeof(headers) = 'object'
    and not headers @? '$.keyvalue() ? (!(@.key like_regex "^[A-Za-z][A-Za-z0-9-]*$") || @.value.type() != "string")'
),
add column channel text
constraint ck_route_channel check (
    channel is null or (channel ~ '^[a-z][a-z0-9_]*$' and channel <> 'gateway' and method = 'GET')
);

comment on column gateway.route.headers is 'Which arguments come from which request headers: {"Idempotency-Key": "p_request_id"}.';
comment on column gateway.route.channel is 'A stream of server-sent events: what NOTIFY on this channel makes the function run again; null: a call.';
