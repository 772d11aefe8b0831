begin;
select plan(35);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''

-- A coin in the right sizes; its bytes follow from its name unless a seed is given.
create function pg_temp.coin(p_key_id text, p_coin_category text default 'BRONZE', p_seed text default null)
returns coins.coin_upload
language sql
immutable
return (
    p_key_id,
    p_coin_category,
    rpad('', case when p_coin_category = 'BRONZE' then 32 else 1184 end, md5('p' || coalesce(p_seed, p_key_id)))::bytea,
    rpad('', case when p_coin_category = 'GOLD' then 2420 else 64 end, md5('s' || coalesce(p_seed, p_key_id)))::bytea
);

-- What senders get when bob's coins are gone.
create view pg_temp.kept as
select
    lr.coin_category::text as coin_category,
    lr.key_id::text as key_id
from coins.last_resort_coin as lr
where lr.user_id = 'b0b00000-0000-4000-8000-000000000000';

select
    throws_ok(
        format('select coins.put_last_resort(%s)', bad.arguments), bad.error_code, bad.message, bad.description
    )
from (
    values
    ($$null, pg_temp.coin('k')$$, '22023', 'user_id must not be null', 'a coin needs a user'),
    (format('%L, null', :bob), '22023', 'coin must not be null', 'a coin is needed'),
    (
        format('%L, row(null, null, null, null)::coins.coin_upload', :bob), '22023', 'coin must not be null',
        'a coin of nothing but nulls is none'
    ),
    (format($$%L, pg_temp.coin('')$$, :bob), '22023', 'coin.key_id must not be empty', 'a coin needs a name'),
    (
        format($$%L, pg_temp.coin(repeat('k', 37))$$, :bob), '22023', 'coin.key_id must have at most 36 characters',
        'an over-long name is refused'
    ),
    (
        format($$%L, pg_temp.coin('k', 'gold')$$, :bob), '22023',
        'coin.coin_category must be one of BRONZE, GOLD, SILVER', 'a category in lower case is refused'
    ),
    (
        format($$%L, ('k', 'BRONZE', repeat('p', 31), repeat('s', 64))::coins.coin_upload$$, :bob), '22023',
        'coin.public_key must have 32 bytes for BRONZE', 'a public key one byte short is refused'
    ),
    (
        format($$%L, ('k', 'BRONZE', repeat('p', 32), null)::coins.coin_upload$$, :bob), '22023',
        'coin.signature must have 64 bytes for BRONZE', 'a coin needs a signature'
    ),
    (
        format($$%L, ('k', 'GOLD', repeat('p', 1185), repeat('s', 2420))::coins.coin_upload$$, :bob), 'PT413',
        'coin.public_key is larger than the 1184 bytes that any category allows', 'a blob may be too large for any'
    )
) as bad (arguments, error_code, message, description);
select is_empty('select * from coins.last_resort_coin', 'a refused coin is not stored');

select is(coins.put_last_resort(:bob, pg_temp.coin('first')), false, 'a device is told that there was none before');
select results_eq(
    'select user_id, coin_category::text, key_id::text, public_key_blob, signature_blob, stored_at
    from coins.last_resort_coin',
    format(
        $$select %L::uuid, coin_category, key_id, public_key_blob, signature_blob, now()
        from unnest(array[pg_temp.coin('first')])$$,
        :bob
    ),
    'a coin is stored byte for byte'
);
select is(coins.put_last_resort(:bob, pg_temp.coin('first')), true, 'a device may retry');
select is_empty('select * from coins.spent_coin', 'a coin that is put again is not spent');
select is(
    coins.put_last_resort(:bob, pg_temp.coin('golden', 'GOLD')), false,
    'each category has a last-resort coin of its own'
);
select is(coins.put_last_resort(:bob, pg_temp.coin('second')), true, 'a device is told that there was one before');
select set_eq(
    'select * from pg_temp.kept', $$values ('BRONZE', 'second'), ('GOLD', 'golden')$$,
    'a coin replaces the one before of its category, and no other'
);
select is(coins.put_last_resort(:alice, pg_temp.coin('second')), false, 'another user may use the same names and keys');

select is(
    coins.upload_coins(:bob, array[pg_temp.coin('first'), pg_temp.coin('new name', p_seed => 'first')]), 0,
    'a coin that was replaced never becomes a one-time coin, under no name: many have it'
);
select is(
    coins.upload_coins(:bob, array[pg_temp.coin('second'), pg_temp.coin('new name', p_seed => 'second')]), 0,
    'nor does the one that is there'
);

insert into coins.coin_inventory (
    user_id, key_id, coin_category, public_key_blob, signature_blob, fetched_by, fetched_at
)
select
    :bob as user_id,
    c.key_id,
    c.coin_category,
    c.public_key_blob,
    c.signature_blob,
    case c.key_id when 'claimed' then :alice::uuid end as fetched_by,
    case c.key_id when 'claimed' then now() end as fetched_at
from unnest(array[pg_temp.coin('unclaimed'), pg_temp.coin('claimed')]) as c;
select lives_ok(
    format(
        $$select coins.remember_spent(
            %L, coins.digests(array['spent'::bytea, (pg_temp.coin('spent')).public_key_blob])
        )$$,
        :bob
    ),
    'a coin may be spent'
);
select
    throws_ok(
        format('select coins.put_last_resort(%L, %s)', :bob, used.coin),
        'PT409', 'coin is or was in use: a last-resort coin needs a key pair of its own', used.description
    )
from (
    values
    ($$pg_temp.coin('unclaimed')$$, 'a one-time coin in stock is refused'),
    ($$pg_temp.coin('unclaimed', p_seed => 'x')$$, 'and so is its name with another key'),
    ($$pg_temp.coin('x', p_seed => 'unclaimed')$$, 'and its key under another name'),
    ($$pg_temp.coin('claimed')$$, 'a coin that a sender has is refused'),
    ($$pg_temp.coin('x', p_seed => 'claimed')$$, 'and so is its key under another name'),
    ($$pg_temp.coin('spent')$$, 'a coin that was spent is refused'),
    ($$pg_temp.coin('x', p_seed => 'spent')$$, 'and so is its key under another name'),
    ($$pg_temp.coin('first')$$, 'a last-resort coin that was replaced does not come back'),
    ($$pg_temp.coin('golden', 'SILVER')$$, 'another category''s last-resort coin is refused')
) as used (coin, description);
select set_eq(
    'select * from pg_temp.kept', $$values ('BRONZE', 'second'), ('GOLD', 'golden')$$,
    'a refused coin replaces none'
);

select is(
    coins.put_last_resort(
        :bob, ('second', 'BRONZE', (pg_temp.coin('second')).public_key_blob, repeat('n', 64))::coins.coin_upload
    ), true,
    'a device may sign its last-resort coin anew'
);
select is(
    (
        select signature_blob from coins.last_resort_coin
        where user_id = :bob and coin_category = 'BRONZE'
    ), repeat('n', 64)::bytea,
    'and senders get the new signature'
);
set local role aqm_device;
select lives_ok(
    format(
        $$select coins.put_last_resort(%L, ('mine', 'BRONZE', %L, %L)::coins.coin_upload)$$,
        :bob, repeat('m', 32), repeat('s', 64)
    ),
    'a device may put its coin'
);
set local role aqm_anon;
select throws_ok(
    format($$select coins.put_last_resort(%L, null)$$, :bob),
    '42501', 'permission denied for function put_last_resort',
    'nobody puts a coin without a token'
);

select * from finish();
rollback;
