begin;
select plan(8);

delete from gateway.route;
select is_empty(
    'select * from gateway.list_routes()',
    'without endpoints there is nothing to list'
);

create function coins.look(p_user_id uuid)
returns bigint
language plpgsql
stable
as 'begin end';
comment on function coins.look(uuid) is 'Looks.';
create function coins.touch(p_user_id uuid)
returns bigint
language plpgsql
as 'begin end';
create function coins.add(p_user_id uuid)
returns bigint
language plpgsql
immutable
as 'begin end';
grant execute on function coins.touch(uuid) to aqm_admin, aqm_anon, aqm_device, aqm_monitor;
revoke execute on function coins.touch(uuid), coins.look(uuid), coins.add(uuid) from public;

select gateway.expose('POST /v1/b', 'coins.touch', p_caller_argument => 'p_user_id', p_batch_function => 'coins.look');
select gateway.expose(
    'GET /v1/b', 'coins.look', p_rows_as => 'looks', p_may_use_replica => true, p_headers => '{"X-Id": "p_user_id"}'
);
select gateway.expose('PUT /v1/a', 'coins.add');
select gateway.expose_stream('GET /v1/c', 'coins.look', 'news');

select results_eq(
    'select method, path, function_name, rows_as, caller_argument, batch_function, may_use_replica, comment,
    headers, channel
    from gateway.list_routes()',
    $$values
    ('PUT', '/v1/a', 'coins.add', null, null, null, false, null, '{}'::jsonb, null::text),
    ('GET', '/v1/b', 'coins.look', 'looks', null, null, true, 'Looks.', '{"X-Id": "p_user_id"}', null),
    ('POST', '/v1/b', 'coins.touch', null, 'p_user_id', 'coins.look', false, null, '{}', null),
    ('GET', '/v1/c', 'coins.look', null, null, null, false, 'Looks.', '{}', 'news')$$,
    'the gateway reads the endpoints by path, each with what its file says and its function''s comment'
);
select results_eq(
    'select method, path, is_volatile, roles from gateway.list_routes()',
    $$values
    ('PUT', '/v1/a', false, '{}'::text[]),
    ('GET', '/v1/b', false, '{}'),
    ('POST', '/v1/b', true, '{anon,device,admin}'),
    ('GET', '/v1/c', false, '{}')$$,
    'the gateway learns from the catalog which functions write, and which HTTP roles may call them, the least first'
);

set local role aqm_gateway;
select isnt_empty('select * from gateway.list_routes()', 'the gateway may ask without a right on the table');
set local role aqm_monitor;
select isnt_empty('select * from gateway.list_routes()', 'monitoring may ask');
set local role aqm_coins_owner;
select throws_ok(
    'select * from gateway.list_routes()',
    '42501', 'permission denied for function list_routes',
    'nobody else needs to'
);
set local role aqm_device;
select throws_ok(
    'select * from gateway.list_routes()',
    '42501', null,
    'a device does not see the endpoints'
);
reset role;

drop function coins.touch(uuid);
select throws_ok(
    'select * from gateway.list_routes()',
    '42883', 'function "coins.touch" does not exist',
    'an endpoint whose function is gone is named'
);

select * from finish();
rollback;
