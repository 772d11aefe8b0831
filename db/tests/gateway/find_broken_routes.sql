begin;
select plan(31);

select is_empty(
    'select * from gateway.find_broken_routes()',
    'what a migration leaves behind is whole'
);
delete from gateway.route;

create function coins.look(p_user_id uuid)
returns bigint
language plpgsql
stable
as 'begin end';
create function coins.touch(p_user_id uuid)
returns bigint
language plpgsql
as 'begin end';
create function coins.hide(p_user_id uuid)
returns bigint
language plpgsql
as 'begin end';
create function coins.keyed(p_user_id uuid, p_key text default null, p_name text default null)
returns bigint
language plpgsql
as 'begin end';
create function coins.twice(p_user_id uuid)
returns bigint
language plpgsql
as 'begin end';
create function coins.twice(p_user_id text)
returns bigint
language plpgsql
as 'begin end';
create function coins.touch_many(p_user_ids uuid[])
returns bigint
language plpgsql
as 'begin end';
create function coins.hide_many(p_user_ids uuid[])
returns bigint
language plpgsql
as 'begin end';
create function coins.nameless(uuid)
returns bigint
language plpgsql
as 'begin end';
revoke execute on function coins.touch_many(uuid[]), coins.hide_many(uuid[]), coins.nameless(uuid) from public;
grant execute on function coins.touch_many(uuid[]), coins.nameless(uuid) to aqm_anon;
revoke execute on function coins.look(uuid), coins.touch(uuid), coins.hide(uuid) from public;
revoke execute on function coins.keyed(uuid, text, text) from public;
grant execute on function coins.keyed(uuid, text, text) to aqm_anon;
grant execute on function coins.look(uuid) to aqm_user;
grant execute on function coins.touch(uuid) to aqm_anon;
grant execute on function coins.hide(uuid) to aqm_monitor;

create type coins.news as (event text, gold bigint);
create type coins.gossip as (gold bigint, event text);
create function coins.watch(p_user_id uuid)
returns setof coins.news
language plpgsql
stable
as 'begin end';
create function coins.watch_and_touch(p_user_id uuid)
returns setof coins.news
language plpgsql
as 'begin end';
create function coins.watch_two(p_user_id uuid, p_other_id uuid default null)
returns setof coins.news
language plpgsql
stable
as 'begin end';
create function coins.watch_name(p_name text)
returns setof coins.news
language plpgsql
stable
as 'begin end';
create function coins.overhear(p_user_id uuid)
returns setof coins.gossip
language plpgsql
stable
as 'begin end';
revoke execute on function coins.watch(uuid), coins.watch_and_touch(uuid), coins.watch_two(uuid, uuid),
coins.watch_name(text), coins.overhear(uuid) from public;
grant execute on function coins.watch(uuid), coins.watch_and_touch(uuid), coins.watch_two(uuid, uuid),
coins.watch_name(text), coins.overhear(uuid) to aqm_anon;

select gateway.expose_stream('GET /v1/fine/watch', 'coins.watch', 'news', p_caller_argument => 'p_user_id');
select gateway.expose('GET /v1/fine/{user_id}', 'coins.look', p_may_use_replica => true);
select gateway.expose(
    'POST /v1/fine', 'coins.touch', p_caller_argument => 'p_user_id', p_batch_function => 'coins.touch_many'
);
select gateway.expose(
    'POST /v1/fine/{user_id}', 'coins.keyed', p_caller_argument => 'p_user_id',
    p_headers => '{"X-Key": "p_key", "X-Name": "p_name"}'
);
select is_empty(
    'select * from gateway.find_broken_routes()',
    'endpoints that fit their functions are not broken'
);

-- Each of these has one fault; its path says which.
select gateway.expose('GET /v1/batch', 'coins.touch', p_batch_function => 'coins.gone');
select gateway.expose('GET /v1/batch/overloaded', 'coins.touch', p_batch_function => 'coins.twice');
select gateway.expose('GET /v1/batch/role', 'coins.touch', p_batch_function => 'coins.hide_many');
select gateway.expose('GET /v1/batch/shape', 'coins.touch', p_batch_function => 'coins.touch');
select gateway.expose('GET /v1/part/{user_id}/again/{user_id}', 'coins.touch');
select gateway.expose('GET /v1/nameless', 'coins.nameless');
select gateway.expose('GET /v1/caller', 'coins.touch', p_caller_argument => 'user_id');
select gateway.expose('GET /v1/part/{user_id}/{key_id}', 'coins.touch');
select gateway.expose('GET /v1/replica', 'coins.touch', p_may_use_replica => true);
select gateway.expose('GET /v1/role', 'coins.hide');
select gateway.expose_stream('GET /v1/stream/volatile', 'coins.watch_and_touch', 'news');
select gateway.expose_stream('GET /v1/stream/two', 'coins.watch_two', 'news');
select gateway.expose_stream('GET /v1/stream/name', 'coins.watch_name', 'news');
select gateway.expose_stream('GET /v1/stream/gossip', 'coins.overhear', 'news');
select gateway.expose_stream('GET /v1/stream/value', 'coins.look', 'news');
select gateway.expose('GET /v1/header', 'coins.keyed', p_headers => '{"X-Key": "p_gone"}');
select gateway.expose('GET /v1/header/key', 'coins.keyed', p_headers => '{"X-Key": "key"}');
select gateway.expose('GET /v1/header/required', 'coins.keyed', p_headers => '{"X-Key": "p_user_id"}');
select gateway.expose('GET /v1/header/{key}', 'coins.keyed', p_headers => '{"X-Key": "p_key"}');
select gateway.expose(
    'GET /v1/header/caller', 'coins.keyed', p_caller_argument => 'p_key', p_headers => '{"X-Key": "p_key"}'
);
select gateway.expose('GET /v1/header/case', 'coins.keyed', p_headers => '{"X-Key": "p_key", "x-key": "p_name"}');
select gateway.expose('GET /v1/header/twice', 'coins.keyed', p_headers => '{"X-Key": "p_key", "X-Name": "p_key"}');

select
    results_eq(
        format('select fault from gateway.find_broken_routes() where route = %L', broken.route),
        array[broken.fault],
        broken.description
    )
from (
    values
    ('GET /v1/batch', 'there is no one function coins.gone', 'a batch twin that does not exist is found'),
    (
        'GET /v1/batch/overloaded',
        'there is no one function coins.twice',
        'a batch twin of which there are two is found'
    ),
    (
        'GET /v1/batch/role', 'a role that may execute coins.touch may not execute coins.hide_many',
        'a batch twin that the callers may not execute is found'
    ),
    (
        'GET /v1/batch/shape', 'coins.touch does not take arrays of the arguments of coins.touch',
        'a batch twin that takes something else is found'
    ),
    (
        'GET /v1/part/{user_id}/again/{user_id}', 'a part of the path is there twice',
        'a path that names an argument twice is found'
    ),
    ('GET /v1/nameless', 'an argument of coins.nameless has no name', 'an argument without a name is found'),
    ('GET /v1/caller', 'coins.touch has no argument user_id', 'a caller''s argument that does not exist is found'),
    (
        'GET /v1/part/{user_id}/{key_id}', 'a part of the path is no argument of coins.touch',
        'a part of the path that is no argument is found'
    ),
    (
        'GET /v1/replica', 'coins.touch is volatile and can''t run on a replica',
        'a function that writes is not sent to a replica'
    ),
    (
        'GET /v1/header', 'a header is no argument of coins.keyed with a default',
        'a header whose argument does not exist is found'
    ),
    (
        'GET /v1/header/key', 'a header is no argument of coins.keyed with a default',
        'a header whose argument is misspelt is found'
    ),
    (
        'GET /v1/header/required', 'a header is no argument of coins.keyed with a default',
        'a header whose argument is required is found'
    ),
    (
        'GET /v1/header/{key}', 'an argument comes from a header and from elsewhere',
        'a header that is a part of the path too is found'
    ),
    (
        'GET /v1/header/caller', 'an argument comes from a header and from elsewhere',
        'a header that is the caller is found'
    ),
    (
        'GET /v1/header/case', 'an argument comes from a header and from elsewhere',
        'a header that is there twice is found'
    ),
    (
        'GET /v1/header/twice', 'an argument comes from a header and from elsewhere',
        'an argument of two headers is found'
    ),
    (
        'GET /v1/stream/volatile',
        'coins.watch_and_touch is no stable function of one uuid with rows that begin with their event',
        'a stream of a function that writes is found'
    ),
    (
        'GET /v1/stream/two',
        'coins.watch_two is no stable function of one uuid with rows that begin with their event',
        'a stream of a function with two arguments is found'
    ),
    (
        'GET /v1/stream/name',
        'coins.watch_name is no stable function of one uuid with rows that begin with their event',
        'a stream of a function of something else than a uuid is found'
    ),
    (
        'GET /v1/stream/gossip',
        'coins.overhear is no stable function of one uuid with rows that begin with their event',
        'a stream whose rows don''t begin with their event is found'
    ),
    (
        'GET /v1/stream/value',
        'coins.look is no stable function of one uuid with rows that begin with their event',
        'a stream of a function without rows is found'
    ),
    ('GET /v1/role', 'no HTTP role may execute coins.hide', 'an endpoint that nobody may call is found')
) as broken (route, fault, description);
select is(
    (select array_agg(b.route) from gateway.find_broken_routes() as b),
    (select array_agg(b.route order by b.route) from gateway.find_broken_routes() as b),
    'the broken endpoints come in their order'
);

select gateway.expose('GET /v1/gone', 'coins.gone');
select gateway.expose('GET /v1/gone/schema', 'nowhere.gone');
select gateway.expose('GET /v1/gone/overloaded', 'coins.twice');
select
    ok(
        exists (
            select from gateway.find_broken_routes() as b
            where b.route = broken.route and b.fault = broken.fault
        ),
        broken.description
    )
from (
    values
    ('GET /v1/gone', 'there is no one function coins.gone', 'a function that does not exist is found'),
    ('GET /v1/gone/schema', 'there is no one function nowhere.gone', 'a function in no schema of ours is found'),
    ('GET /v1/gone/overloaded', 'there is no one function coins.twice', 'a function of which there are two is found')
) as broken (route, fault, description);

select gateway.expose('POST /v1/two', 'coins.hide', p_caller_argument => 'p_other', p_may_use_replica => true);
select is(
    (
        select count(*) from gateway.find_broken_routes()
        where route = 'POST /v1/two'
    ),
    3::bigint,
    'an endpoint with several faults shows them all'
);
select is_empty(
    $$select route from gateway.find_broken_routes() where route like '%fine%'$$,
    'an endpoint that fits is not listed with the others'
);

set local role aqm_gateway;
select throws_ok(
    'select * from gateway.find_broken_routes()',
    '42501', 'permission denied for function find_broken_routes',
    'only the installer asks'
);

select * from finish();
rollback;
