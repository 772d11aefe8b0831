begin;
select plan(13);

delete from gateway.route;
select lives_ok(
    $$select gateway.expose_stream('GET /v1/coins/watch', 'coins.watch_stock', p_channel => 'coins_stock')$$,
    'a function becomes a stream by its route and its channel'
);
select lives_ok(
    $$select gateway.expose_stream(
        'GET /v1/coins/{user_id}/watch', 'coins.watch_stock', 'coins_stock', p_caller_argument => 'p_user_id'
    )$$,
    'a stream may say who its caller is, and share its channel'
);
select results_eq(
    $$select method, path, function_name, channel, caller_argument, rows_as, batch_function from gateway.route
    order by path desc$$,
    $$values
    ('GET', '/v1/coins/{user_id}/watch', 'coins.watch_stock', 'coins_stock', 'p_user_id', null::text, null::text),
    ('GET', '/v1/coins/watch', 'coins.watch_stock', 'coins_stock', null, null, null)$$,
    'the gateway will read just that'
);

select
    throws_ok(
        format($$select gateway.expose_stream(%L, 'coins.watch_stock', %L)$$, bad.route, bad.channel),
        '23514', null, bad.description
    )
from (
    values
    ('POST /v1/coins/look', 'coins_stock', 'a stream is opened by GET'),
    ('GET /v1/coins/look', null, 'a stream has a channel'),
    ('GET /v1/coins/look', '', 'a channel has a name'),
    ('GET /v1/coins/look', 'gateway', 'the channel of the gateway itself is taken'),
    ('GET /v1/coins/look', 'Coins', 'a channel is in lower case'),
    ('GET /v1/coins/look', 'coins; listen x', 'a channel is one name'),
    ('GET v1', 'coins_stock', 'a route is as that of a call')
) as bad (route, channel, description);
select throws_ok(
    $$select gateway.expose('GET /v1/coins/watch', 'coins.count_coins')$$,
    '23505', null,
    'a stream and a call don''t share a route'
);

set local role aqm_coins_owner;
select lives_ok(
    $$select gateway.expose_stream('GET /v1/coins/see', 'coins.watch_stock', 'coins_stock')$$,
    'the owner of a context may make its functions streams'
);
set local role aqm_gateway;
select throws_ok(
    $$select gateway.expose_stream('GET /v1/coins/stare', 'coins.watch_stock', 'coins_stock')$$,
    '42501', 'permission denied for function expose_stream',
    'the gateway can''t make streams, it only reads them'
);

select * from finish();
rollback;
