begin;
select plan(30);

delete from gateway.route;
select lives_ok(
    $$select gateway.expose('GET /v1/coins/{user_id}/count.json', 'coins.count_coins')$$,
    'a function becomes an endpoint by its route alone'
);
select lives_ok(
    $$select gateway.expose(
        'POST /v1/coins/claim', 'coins.claim_coins', p_rows_as => 'coins', p_caller_argument => 'p_requester_id',
        p_batch_function => 'coins.claim_coins_batch', p_may_use_replica => true,
        p_headers => '{"Idempotency-Key": "p_request_id"}'
    )$$,
    'a function may say how it is called'
);
select
    lives_ok(
        format($$select gateway.expose(%L, 'coins.count_coins')$$, method || ' /v1/coins/claim-methods_all'),
        format('an endpoint may be called by %s', method)
    )
from unnest(array['GET', 'POST', 'PUT', 'DELETE']) as method;
select results_eq(
    $$select method, path, function_name, rows_as, caller_argument, batch_function, may_use_replica, headers, channel
    from gateway.route
    where path not like '%methods%' order by path$$,
    $$values
    (
        'POST', '/v1/coins/claim', 'coins.claim_coins', 'coins', 'p_requester_id', 'coins.claim_coins_batch', true,
        '{"Idempotency-Key": "p_request_id"}'::jsonb, null::text
    ),
    ('GET', '/v1/coins/{user_id}/count.json', 'coins.count_coins', null, null, null, false, '{}', null)$$,
    'the gateway will read just that'
);

select
    throws_ok(
        format($$select gateway.expose(%L, 'coins.count_coins')$$, bad.route), '23514', null, bad.description
    )
from (
    values
    ('', 'a route is not empty'),
    ('GET', 'a route has a path'),
    ('/v1/coins', 'a route has a method'),
    ('get /v1/coins', 'a method is in capitals'),
    ('HEAD /v1/coins', 'HEAD is no method of an endpoint, since it must not claim'),
    ('GET v1/coins', 'a path begins with a slash'),
    ('GET /', 'a path has a part'),
    ('GET /v1/coins/', 'a path ends without a slash'),
    ('GET /v1//coins', 'a path has no empty part'),
    ('GET /v1/coins?count=1', 'a path has no query'),
    ('GET /v1/coins count', 'a path has no space'),
    ('GET /v1/{UserId}', 'a part in braces is the name of an argument')
) as bad (route, description);
select
    throws_ok(
        format($$select gateway.expose('GET /v1/bad', 'coins.count_coins', p_headers => %L)$$, bad.headers),
        '23514', null, bad.description
    )
from (
    values
    ('[]', 'headers are an object'),
    ('"Idempotency-Key"', 'a header alone is none'),
    ('{"": "p_request_id"}', 'a header has a name'),
    ('{"Idempotency Key": "p_request_id"}', 'the name of a header has no space'),
    ('{"Key:": "p_request_id"}', 'the name of a header has no colon'),
    ('{"Key": 1}', 'a header carries an argument, which has a name'),
    ('{"Key": ["p_request_id"]}', 'a header carries one argument')
) as bad (headers, description);
select throws_ok(
    $$select gateway.expose('POST /v1/coins/claim', 'coins.count_coins')$$,
    '23505', null,
    'a route that is taken is refused'
);

set local role aqm_coins_owner;
select lives_ok(
    $$select gateway.expose('PUT /v1/coins/claim', 'coins.claim_coins')$$,
    'the owner of a context may expose its functions'
);
set local role aqm_ops_owner;
select lives_ok(
    $$select gateway.expose('GET /v1/jobs', 'ops.cron_health')$$,
    'and so may the owner of another'
);
set local role aqm_gateway;
select throws_ok(
    $$select gateway.expose('DELETE /v1/coins/claim', 'coins.claim_coins')$$,
    '42501', 'permission denied for function expose',
    'the gateway can''t make endpoints, it only reads them'
);

select * from finish();
rollback;
