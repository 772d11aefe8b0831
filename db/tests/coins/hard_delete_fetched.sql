begin;
select plan(19);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''

-- Named by the time since the claim; all were uploaded long ago.
insert into coins.coin_inventory (
    user_id, key_id, coin_category, public_key_blob, signature_blob, uploaded_at, fetched_by, fetched_at
)
values
(:bob, 'never', 'GOLD', 'key 1', '', now() - interval '1000 days', null, null),
(:bob, '3 hours', 'GOLD', 'key 2', '', now() - interval '31 days', :alice, now() - interval '3 hours'),
(:bob, '2 hours', 'SILVER', 'key 3', '', now() - interval '900 days', :alice, now() - interval '2 hours'),
(
    :alice, '1 hour and a moment', 'BRONZE', 'key 4', '', now() - interval '31 days',
    :bob, now() - interval '1 hour' - interval '1 microsecond'
),
(:alice, '1 hour', 'BRONZE', 'key 5', '', now() - interval '31 days', :bob, now() - interval '1 hour'),
(:bob, '1 minute', 'BRONZE', 'key 6', '', now() - interval '31 days', :alice, now() - interval '1 minute'),
(:bob, 'now', 'BRONZE', 'key 7', '', now() - interval '31 days', :alice, now());

select
    throws_ok(
        format('select coins.hard_delete_fetched(%s)', bad.arguments), '22023', bad.message, bad.description
    )
from (
    values
    ('-1', 'grace_hours must be between 0 and 876000', 'a grace period can''t end before the claim'),
    ('876001', 'grace_hours must be between 0 and 876000', 'a grace period of more than 100 years is a mistake'),
    ('null', 'grace_hours must be between 0 and 876000', 'without a grace period nothing is deleted'),
    ('1, 0', 'limit must be at least 1', 'a delete of at most 0 coins is a mistake'),
    ('1, -1', 'limit must be at least 1', 'a delete of fewer than none is a mistake')
) as bad (arguments, message, description);
select is(
    (select count(*) from coins.coin_inventory), 7::bigint,
    'a refused delete removes nothing'
);

select is(
    coins.hard_delete_fetched(876000), 0::bigint,
    'a person may ask for a grace period of 100 years'
);
select is(
    coins.hard_delete_fetched(p_grace_hours => 1, p_limit => 1), 1::bigint,
    'a delete with a limit removes no more than that'
);
select is_empty(
    $$select key_id from coins.coin_inventory where key_id = '3 hours'$$,
    'and the oldest claim first, whenever the coin was uploaded'
);
select is(
    coins.hard_delete_fetched(), 2::bigint,
    'a delete without arguments removes all coins that were claimed more than an hour ago'
);
select results_eq(
    'select key_id::text from coins.coin_inventory order by fetched_at',
    array['1 hour', '1 minute', 'now', 'never'],
    'a coin that was claimed exactly an hour ago can still be retried, and so can later ones'
);
select is(
    coins.hard_delete_fetched(), 0::bigint,
    'a delete that is repeated finds nothing'
);
select is(
    coins.hard_delete_fetched(0, null), 2::bigint,
    'a person may do without a grace period'
);
select results_eq(
    'select key_id::text from coins.coin_inventory order by fetched_at',
    array['now', 'never'],
    'a coin claimed this moment stays, and an unclaimed one, however old'
);
set local role aqm_admin;
select lives_ok('select coins.hard_delete_fetched()', 'an administrator may delete claimed coins');
set local role aqm_jobs;
select lives_ok('select coins.hard_delete_fetched(1, 5000)', 'the scheduler may delete claimed coins');
set local role aqm_device;
select throws_ok(
    'select coins.hard_delete_fetched()',
    '42501', 'permission denied for function hard_delete_fetched',
    'a device can''t delete claimed coins'
);
reset role;

-- Spent coins: of bob 3 hours, 2 hours and 1 minute are gone, of alice two more.
select results_eq(
    $$select sc.user_id, sc.month, array(select digest from unnest(sc.digests) as digest order by 1)
    from coins.spent_coin as sc order by 1$$,
    format(
        $$select gone.user_id::uuid, date_trunc('month', now())::date, array(
            select unnest(coins.digests(gone.names || gone.keys)) order by 1
        )
        from (
            values
            (%L, '{1 hour and a moment,1 hour}'::text[]::bytea[], '{key 4,key 5}'::text[]::bytea[]),
            (%L, '{3 hours,2 hours,1 minute}'::text[]::bytea[], '{key 2,key 3,key 6}'::text[]::bytea[])
        ) as gone (user_id, names, keys)$$,
        :alice, :bob
    ),
    'every deleted coin is remembered as spent, once, by its name and its public key; a coin that stays is not'
);
select is(
    coins.upload_coins(
        :bob,
        array[
            ('3 hours', 'BRONZE', repeat('p', 32), repeat('s', 64)),
            ('1 minute', 'BRONZE', repeat('q', 32), repeat('s', 64))
        ]::coins.coin_upload[]
    ), 0,
    'a deleted coin never comes back on sale, whichever delete it was'
);

select * from finish();
rollback;
