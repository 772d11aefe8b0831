begin;
select plan(20);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''

insert into coins.coin_inventory (
    user_id, key_id, coin_category, public_key_blob, signature_blob, fetched_by, fetched_at
)
values
(:bob, 'a', 'BRONZE', '1', '', null, null),
(:bob, 'b', 'GOLD', '2', '', null, null),
(:bob, 'c', 'SILVER', '3', '', null, null),
(:bob, 'claimed', 'BRONZE', '4', '', :alice, now()),
(:alice, 'a', 'BRONZE', '5', '', null, null);
insert into coins.last_resort_coin (user_id, coin_category, key_id, public_key_blob, signature_blob)
values
(:bob, 'BRONZE', 'last', '6', ''),
(:bob, 'GOLD', 'last golden', '7', ''),
(:alice, 'BRONZE', 'last', '8', '');

create view pg_temp.kept as
select array_agg(kept.name order by kept.name) as names
from (
    select left(ci.user_id::text, 1) || ' ' || ci.key_id as name
    from coins.coin_inventory as ci
    union all
    select left(lr.user_id::text, 1) || ' ' || lr.key_id
    from coins.last_resort_coin as lr
) as kept;

select throws_ok(
    'select coins.discard_coins(null)', '22023', 'user_id must not be null', 'whose coins must be said'
);
select throws_ok(
    $$select coins.discard_coins(null, '{a}')$$, '22023', 'user_id must not be null', 'even when the names are'
);
select is(coins.discard_coins(:bob, '{}'), 0::bigint, 'a device that names no coins discards none');
select is(coins.discard_coins(:bob, '{unknown,null}'), 0::bigint, 'an unknown name, or none, is no error');
select is(coins.discard_coins(:bob, '{claimed}'), 0::bigint, 'a claimed coin belongs to its sender: it stays');
select results_eq(
    'select names from pg_temp.kept',
    $$values ('{a a,a last,b a,b b,b c,b claimed,b last,b last golden}'::text[])$$,
    'so far nothing was discarded'
);
select is(
    coins.discard_coins(:bob, '{a,a,claimed,last,unknown}'), 2::bigint,
    'a device discards coins by name, last-resort coins included, and is told how many went'
);
select results_eq(
    'select names from pg_temp.kept',
    $$values ('{a a,a last,b b,b c,b claimed,b last golden}'::text[])$$,
    'no other coin went, and none of another user'
);
select is(coins.discard_coins(:bob, '{a,last}'), 0::bigint, 'a device that repeats it discards nothing more');
select is(coins.discard_coins(:bob), 3::bigint, 'a device that names nothing discards all that nobody has claimed');
select results_eq(
    'select names from pg_temp.kept', $$values ('{a a,a last,b claimed}'::text[])$$,
    'and only its own'
);
select results_eq(
    format($$select key_id from coins.claim_coins(%L, %L, 'GOLD')$$, :bob, :alice),
    $$select key_id::text from coins.coin_inventory where false$$,
    'no sender ever gets a discarded coin'
);
insert into coins.queue_mark (user_id, coin_category, uploaded_at, record_id, low_stock, low_from)
values (:bob, 'GOLD', now(), 1, 10, 1), (:alice, 'GOLD', now(), 1, 10, 1);
select is(coins.discard_coins(:bob, null), 0::bigint, 'a user without coins discards none');
select results_eq(
    'select user_id from coins.queue_mark', array[:alice::uuid],
    'where a queue comes near its threshold is forgotten, so that the next crossing is not missed'
);
select is(
    coins.put_last_resort(:bob, ('gone', 'BRONZE', repeat('g', 32), repeat('s', 64))::coins.coin_upload), false,
    'a device may have a last-resort coin again'
);
select is(coins.discard_coins(:bob), 1::bigint, 'and discard it');
select is(
    coins.upload_coins(
        :bob,
        array[
            ('gone', 'BRONZE', repeat('h', 32), repeat('s', 64)),
            ('new name', 'BRONZE', repeat('g', 32), repeat('s', 64))
        ]::coins.coin_upload[]
    ), 0,
    'a discarded last-resort coin, which many have, never becomes a one-time coin, by its name or by its key'
);
set local role aqm_device;
select lives_ok(format('select coins.discard_coins(%L)', :bob), 'a device may discard');
set local role aqm_admin;
select throws_ok(
    format('select coins.discard_coins(%L)', :bob), '42501', 'permission denied for function discard_coins',
    'an administrator discards nobody''s coins'
);
set local role aqm_anon;
select throws_ok(
    format('select coins.discard_coins(%L)', :bob), '42501', 'permission denied for function discard_coins',
    'nobody discards without a token'
);

select * from finish();
rollback;
