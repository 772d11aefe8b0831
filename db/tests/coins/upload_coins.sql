begin;
-- A transaction has one isolation level: what happens in this one is asserted in the next.
set transaction_isolation = 'repeatable read';
\set ON_ERROR_STOP off
select coins.upload_coins('b0b00000-0000-4000-8000-000000000000', '{}');
\set refused_with :SQLSTATE
\set refused_because :LAST_ERROR_MESSAGE
\set ON_ERROR_STOP on
rollback;

begin;
select plan(73);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set carol '''ca401000-0000-4000-8000-000000000000'''
\set dave '''dafe0000-0000-4000-8000-000000000000'''

-- A coin in the right sizes unless told otherwise; its bytes follow from key_id and p_seed.
create function pg_temp.coin(
    p_key_id text,
    p_coin_category text default 'BRONZE',
    p_public_key_bytes integer default null,
    p_signature_bytes integer default null,
    p_seed text default ''
)
returns coins.coin_upload
language sql
immutable
return (
    p_key_id,
    p_coin_category,
    rpad(
        '', coalesce(p_public_key_bytes, case when p_coin_category = 'BRONZE' then 32 else 1184 end),
        md5(p_seed || 'public key ' || p_key_id)
    )::bytea,
    rpad(
        '', coalesce(p_signature_bytes, case when p_coin_category = 'GOLD' then 2420 else 64 end),
        md5(p_seed || 'signature ' || p_key_id)
    )::bytea
);

-- BRONZE coins named by their numbers.
create function pg_temp.bronze(p_first integer, p_last integer)
returns coins.coin_upload[]
language sql
immutable
return array(select pg_temp.coin(number::text) from generate_series(p_first, p_last) as number);

select is(
    coins.upload_coins(:bob, '{}'), 0,
    'a device that has nothing to upload stores nothing'
);
select is(
    coins.upload_coins(:bob, array[pg_temp.coin('z', 'GOLD'), pg_temp.coin('y', 'SILVER'), pg_temp.coin('x')]), 3,
    'a device is told how many coins were stored'
);
select results_eq(
    'select
        user_id, key_id::text, coin_category::text, public_key_blob, signature_blob, uploaded_at, fetched_by, fetched_at
    from coins.coin_inventory order by record_id',
    format(
        $$select %L::uuid, key_id, coin_category, public_key_blob, signature_blob, now(), null::uuid, null::timestamptz
        from unnest(array[pg_temp.coin('z', 'GOLD'), pg_temp.coin('y', 'SILVER'), pg_temp.coin('x')])$$,
        :bob
    ),
    'coins are stored byte for byte, unclaimed, as of now, in the order of the upload'
);

update coins.coin_inventory
set uploaded_at = now() - interval '1 day';
select is(
    coins.upload_coins(:bob, array[pg_temp.coin('z', 'GOLD'), pg_temp.coin('y', 'SILVER'), pg_temp.coin('x')]), 0,
    'a device that repeats an upload adds nothing'
);
select is(
    coins.upload_coins(:bob, array[pg_temp.coin('x', 'BRONZE', p_seed => 'other')]), 0,
    'a key_id that the user has uploaded before is skipped, whatever comes with it'
);
select results_eq(
    'select key_id::text, public_key_blob, uploaded_at from coins.coin_inventory order by key_id',
    $$select key_id, public_key_blob, now() - interval '1 day'
    from unnest(array[pg_temp.coin('x'), pg_temp.coin('y', 'SILVER'), pg_temp.coin('z', 'GOLD')])$$,
    'a coin that is stored keeps its bytes and its place in the queue'
);
select is(
    coins.upload_coins(:bob, array[pg_temp.coin('y', 'SILVER'), pg_temp.coin('w'), pg_temp.coin('x')]), 1,
    'the new coins among repeated ones are stored and counted'
);
select is(
    coins.upload_coins(:bob, array[pg_temp.coin('v'), pg_temp.coin('v', 'GOLD')]), 1,
    'of two coins with one key_id in an upload one is stored'
);
select is(
    (
        select coin_category::text from coins.coin_inventory
        where key_id = 'v'
    ), 'BRONZE',
    'and it is the first'
);
select is(
    coins.upload_coins(:carol, array[pg_temp.coin('x')]), 1,
    'the key_id of one user is free for another'
);
select is(
    coins.upload_coins(:carol, array[pg_temp.coin(repeat('k', 36)), pg_temp.coin('k'), pg_temp.coin(repeat('ü', 36))]),
    3,
    'a key_id has 1 to 36 characters'
);

update coins.coin_inventory
set fetched_by = :alice, fetched_at = now()
where user_id = :bob and key_id = 'x';
select is(
    coins.upload_coins(:bob, array[pg_temp.coin('x')]), 0,
    'a device that repeats a claimed coin adds nothing'
);
select is(
    (
        select fetched_by from coins.coin_inventory
        where user_id = :bob and key_id = 'x'
    ), :alice,
    'a claimed coin does not go back on sale'
);

-- Refusals. Each upload has a good coin before the bad one.
select
    throws_ok(
        format($$select coins.upload_coins(%L, array[pg_temp.coin('good'), %s])$$, :dave, bad.coin),
        bad.error_code, bad.message, bad.description
    )
from (
    values
    ('null', '22023', 'coins[1].key_id must not be empty', 'an upload with a null coin is refused'),
    (
        $$pg_temp.coin('')$$,
        '22023', 'coins[1].key_id must not be empty', 'an upload with an empty key_id is refused'
    ),
    (
        $$pg_temp.coin(null)$$,
        '22023', 'coins[1].key_id must not be empty', 'an upload with a missing key_id is refused'
    ),
    (
        $$pg_temp.coin(repeat('k', 37))$$,
        '22023', 'coins[1].key_id must have at most 36 characters', 'an upload with an over-long key_id is refused'
    ),
    (
        $$pg_temp.coin('k', 'bronze')$$,
        '22023', 'coins[1].coin_category must be one of BRONZE, GOLD, SILVER',
        'an upload with a category in lower case is refused'
    ),
    (
        $$pg_temp.coin('k', null)$$,
        '22023', 'coins[1].coin_category must be one of BRONZE, GOLD, SILVER',
        'an upload without a category is refused'
    ),
    (
        $$('k', 'BRONZE', null, repeat('s', 64))::coins.coin_upload$$,
        '22023', 'coins[1].public_key must have 32 bytes for BRONZE', 'an upload without a public key is refused'
    ),
    (
        $$('k', 'BRONZE', repeat('p', 32), null)::coins.coin_upload$$,
        '22023', 'coins[1].signature must have 64 bytes for BRONZE', 'an upload without a signature is refused'
    ),
    (
        $$pg_temp.coin('k', 'GOLD', 1183)$$,
        '22023', 'coins[1].public_key must have 1184 bytes for GOLD', 'a GOLD public key one byte short is refused'
    ),
    (
        $$pg_temp.coin('k', 'GOLD', 1185)$$,
        'PT413', 'coins[1].public_key is larger than the 1184 bytes that any category allows',
        'a GOLD public key one byte long is too large'
    ),
    (
        $$pg_temp.coin('k', 'GOLD', 1184, 2419)$$,
        '22023', 'coins[1].signature must have 2420 bytes for GOLD', 'a GOLD signature one byte short is refused'
    ),
    (
        $$pg_temp.coin('k', 'GOLD', 1184, 2421)$$,
        'PT413', 'coins[1].signature is larger than the 2420 bytes that any category allows',
        'a GOLD signature one byte long is too large'
    ),
    (
        $$pg_temp.coin('k', 'SILVER', 1183)$$,
        '22023', 'coins[1].public_key must have 1184 bytes for SILVER', 'a SILVER public key one byte short is refused'
    ),
    (
        $$pg_temp.coin('k', 'SILVER', 1184, 65)$$,
        '22023', 'coins[1].signature must have 64 bytes for SILVER', 'a SILVER signature one byte long is refused'
    ),
    (
        $$pg_temp.coin('k', 'BRONZE', 33)$$,
        '22023', 'coins[1].public_key must have 32 bytes for BRONZE', 'a BRONZE public key one byte long is refused'
    ),
    (
        $$pg_temp.coin('k', 'BRONZE', 32, 63)$$,
        '22023', 'coins[1].signature must have 64 bytes for BRONZE', 'a BRONZE signature one byte short is refused'
    )
) as bad (coin, error_code, message, description);

select throws_ok(
    $$select coins.upload_coins(null, array[pg_temp.coin('good')])$$,
    '22023', 'user_id must not be null', 'an upload needs a user'
);
select throws_ok(
    format('select coins.upload_coins(%L, null)', :dave),
    '22023', 'coins must not be null', 'an upload without a list is refused'
);
select throws_ok(
    format('select coins.upload_coins(%L, pg_temp.bronze(1, 1001))', :dave),
    '22023', 'coins must have at most 1000 elements', 'an upload of 1001 coins is refused'
);
select throws_ok(
    format($$select coins.upload_coins(%L, array_fill(pg_temp.coin('1'), array[1001]))$$, :dave),
    '22023', 'coins must have at most 1000 elements', 'an upload of one coin 1001 times is refused'
);
select is_empty(
    format('select key_id from coins.coin_inventory where user_id = %L', :dave),
    'a refused upload stores nothing, not even its good coins'
);

select is(
    coins.upload_coins(:dave, pg_temp.bronze(1, 1000)), 1000,
    'an upload may have 1000 coins, and a user may have 1000 of a category'
);
select throws_ok(
    format($$select coins.upload_coins(%L, array[pg_temp.coin('g', 'GOLD'), pg_temp.coin('1001')])$$, :dave),
    'PT409', 'a user may have at most 1000 unclaimed BRONZE coins',
    'one coin over the cap of its category is refused'
);
select results_eq(
    format('select gold, silver, bronze from coins.count_coins(%L)', :dave),
    'values (0::bigint, 0::bigint, 1000::bigint)',
    'an upload over the cap stores nothing, not even its other coins'
);
select is(
    coins.upload_coins(:dave, pg_temp.bronze(1, 1000)), 0,
    'a device that repeats its upload at the cap adds nothing and is not refused'
);
select is(
    coins.upload_coins(:dave, array[pg_temp.coin('g', 'GOLD'), pg_temp.coin('7')]), 1,
    'the cap of one category is not that of another'
);
select is(
    coins.upload_coins(:alice, array[pg_temp.coin('1')]), 1,
    'the cap of one user is not that of another'
);

update coins.coin_inventory
set fetched_by = :alice, fetched_at = now()
where user_id = :dave and key_id = '1';
select is(
    coins.upload_coins(:dave, array[pg_temp.coin('1001')]), 1,
    'a claimed coin makes room for another'
);
select throws_ok(
    format($$select coins.upload_coins(%L, array[pg_temp.coin('1002')])$$, :dave),
    'PT409', 'a user may have at most 1000 unclaimed BRONZE coins',
    'and for no more than one'
);

update coins.coin_category
set max_unclaimed = 2
where name in ('GOLD', 'BRONZE');
select throws_ok(
    format(
        $$select coins.upload_coins(%L, array(select pg_temp.coin(n::text, 'GOLD') from generate_series(1, 3) as n))$$,
        :carol
    ),
    'PT409', 'a user may have at most 2 unclaimed GOLD coins',
    'the cap of a category is a setting'
);
select is(
    coins.upload_coins(:dave, pg_temp.bronze(2, 1000)), 0,
    'a device that repeats its upload above a lowered cap adds nothing and is not refused'
);

set local role aqm_device;
select results_eq(
    format(
        $$select coins.upload_coins(%L, array[row('mine', 'BRONZE', %L, %L)::coins.coin_upload])$$,
        :alice, repeat('p', 32), repeat('s', 64)
    ),
    array[1],
    'a device may upload'
);
set local role aqm_admin;
select throws_ok(
    format($$select coins.upload_coins(%L, '{}')$$, :bob),
    '42501', 'permission denied for function upload_coins',
    'an administrator uploads no coins'
);
set local role aqm_anon;
select throws_ok(
    format($$select coins.upload_coins(%L, '{}')$$, :bob),
    '42501', 'permission denied for function upload_coins',
    'nobody uploads without a token'
);
reset role;

select results_eq(
    format('select %L, %L', :'refused_with', :'refused_because'),
    $$values ('PT409', 'uploads need the isolation level READ COMMITTED')$$,
    'an upload in an older snapshot, which would not show what was spent since, is refused'
);

-- Public keys.
\set erin '''e4140000-0000-4000-8000-000000000000'''
update coins.coin_category
set max_unclaimed = 1000;

-- The same key pair under another name.
create function pg_temp.renamed(p_coin coins.coin_upload, p_key_id text)
returns coins.coin_upload
language sql
immutable
return (p_key_id, p_coin.coin_category, p_coin.public_key_blob, p_coin.signature_blob);

select is(
    coins.upload_coins(
        :erin, array[pg_temp.coin('a'), pg_temp.coin('b'), pg_temp.renamed(pg_temp.coin('b'), 'c')]
    ), 2,
    'of two coins with one public key in an upload one is stored'
);
select results_eq(
    format('select key_id::text from coins.coin_inventory where user_id = %L order by key_id', :erin),
    array['a', 'b'],
    'and it is the first'
);
select is(
    coins.upload_coins(:erin, array[pg_temp.renamed(pg_temp.coin('a'), 'new'), pg_temp.coin('d')]), 1,
    'a public key in stock is not stored under another name; the other coins are'
);
select is(
    coins.upload_coins(:dave, array[pg_temp.renamed(pg_temp.coin('g', 'GOLD'), 'new')]), 0,
    'nor is that of a coin of another category'
);
select is(
    coins.upload_coins(:carol, array[pg_temp.renamed(pg_temp.coin('a'), 'new')]), 1,
    'a public key in the stock of one user is free for another'
);

-- Spent coins.
update coins.coin_inventory
set fetched_by = :alice, fetched_at = now() - interval '2 hours'
where user_id = :erin and key_id = 'a';
select is(
    coins.upload_coins(:erin, array[pg_temp.renamed(pg_temp.coin('a'), 'new')]), 0,
    'a public key that a sender has is not stored under another name'
);
select is(coins.hard_delete_fetched(), 1::bigint, 'a claimed coin is deleted in the end');
select is(
    coins.upload_coins(:erin, array[pg_temp.coin('a')]), 0,
    'a device that repeats an old upload never puts an issued coin back on sale'
);
select is(
    coins.upload_coins(:erin, array[pg_temp.coin('a', p_seed => 'other')]), 0,
    'nor another coin of its name'
);
select is(
    coins.upload_coins(:erin, array[pg_temp.renamed(pg_temp.coin('a'), 'new')]), 0,
    'nor its public key under another name'
);
select is(
    coins.upload_coins(:erin, array[pg_temp.coin('a'), pg_temp.coin('e')]), 1,
    'the new coins beside a spent one are stored'
);
select is(
    coins.upload_coins(:alice, array[pg_temp.coin('a')]), 1,
    'what one user has spent is free for another'
);
select lives_ok(
    $$select coins.add_spent_month('2031-01-01')$$, 'there may be more months'
);
insert into coins.spent_coin (user_id, month, digests)
values (:erin, '2031-01-01', coins.digests(array['spent in another month']::bytea[]));
select is(
    coins.upload_coins(:erin, array[pg_temp.coin('spent in another month')]), 0,
    'a coin is refused whatever month it was spent in'
);

-- Last-resort coins.
select lives_ok(
    format($$select coins.put_last_resort(%L, pg_temp.coin('last'))$$, :erin), 'there may be a last-resort coin'
);
select is(
    coins.upload_coins(
        :erin,
        array[
            pg_temp.coin('last'), pg_temp.coin('last', p_seed => 'other'), pg_temp.renamed(pg_temp.coin('last'), 'new')
        ]
    ), 0,
    'a last-resort coin, which many get, is no one-time coin, neither by its name nor by its key'
);

-- Skipped coins and the cap: erin has b, d and e.
update coins.coin_category
set max_unclaimed = 3
where name = 'BRONZE';
select is(
    coins.upload_coins(
        :erin, array[pg_temp.coin('a'), pg_temp.coin('last'), pg_temp.renamed(pg_temp.coin('b'), 'new')]
    ), 0,
    'a device at the cap that sends spent and known coins is not refused'
);
select throws_ok(
    format($$select coins.upload_coins(%L, array[pg_temp.coin('a'), pg_temp.coin('f')])$$, :erin),
    'PT409', 'a user may have at most 3 unclaimed BRONZE coins',
    'one that sends a new coin among them is'
);

-- The epoch.
update coins.coin_category
set max_unclaimed = 1000
where name = 'BRONZE';
update coins.epoch
set number = 5;
select is(coins.upload_coins(:erin, array[pg_temp.coin('f')], 5), 1, 'a device that knows the epoch may upload');
select
    throws_ok(
        format($$select coins.upload_coins(%L, array[pg_temp.coin('h')], %s)$$, :erin, epoch.number),
        'PT409', 'epoch is now 5', epoch.description
    )
from (
    values
    (4, 'a device that missed a restore is refused'),
    (6, 'and so is one whose epoch was restored away')
) as epoch (number, description);
select throws_ok(
    format($$select coins.upload_coins(%L, '{}', 4)$$, :erin),
    'PT409', 'epoch is now 5', 'even when it sends nothing'
);
select throws_ok(
    format($$select coins.upload_coins(%L, array[pg_temp.coin('')], 4)$$, :erin),
    '22023', 'coins[0].key_id must not be empty', 'a bad coin is named first'
);
select is(coins.upload_coins(:erin, array[pg_temp.coin('h')]), 1, 'a device that names no epoch is not asked');

select is(
    coins.upload_coins(
        :erin,
        array[
            pg_temp.coin('t1'), pg_temp.coin('t1', p_seed => 'twin'),
            pg_temp.renamed(pg_temp.coin('t1', p_seed => 'twin'), 't2')
        ]
    ), 2,
    'a coin is not skipped for the public key of one that was itself skipped'
);

select * from finish();
rollback;
