begin;
select plan(27);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set carol '''ca401000-0000-4000-8000-000000000000'''
\set dave '''dafe0000-0000-4000-8000-000000000000'''

-- Neither the place on disk nor the key_id follows the queue: only time, then record_id, can give its order.
insert into coins.coin_inventory (
    record_id, user_id, key_id, coin_category, public_key_blob, signature_blob, uploaded_at
)
overriding system value
values
(35, :bob, 'a-fourth', 'BRONZE', '', '', now() - interval '1 hour'),
(30, :bob, 'b-third', 'BRONZE', '', '', now() - interval '1 hour'),
(20, :bob, 'c-second', 'BRONZE', '', '', now() - interval '1 hour'),
(10, :bob, 'e-fifth', 'BRONZE', '', '', now()),
(40, :bob, 'd-first', 'BRONZE', 'public key of d-first', 'signature of d-first', now() - interval '2 hours'),
(50, :bob, 'golden', 'GOLD', '', '', now() - interval '3 hours'),
(60, :carol, 'of carol', 'BRONZE', '', '', now() - interval '4 hours');

select
    throws_ok(
        format('select * from coins.claim_coins(%s)', c.arguments),
        '22023', c.message, c.description
    )
from (
    values
    (format($$null, %L, 'BRONZE'$$, :alice), 'target_user_id must not be null', 'a claim needs a recipient'),
    (format($$%L, null, 'BRONZE'$$, :bob), 'requester_id must not be null', 'a claim needs a sender'),
    (
        format('%L, %L, null', :bob, :alice), 'coin_category must be one of BRONZE, GOLD, SILVER',
        'a claim needs a category'
    ),
    (
        format($$%L, %L, 'PLATIN'$$, :bob, :alice), 'coin_category must be one of BRONZE, GOLD, SILVER',
        'a sender who asks for an unknown category is told the known ones'
    ),
    (
        format($$%L, %L, 'bronze'$$, :bob, :alice), 'coin_category must be one of BRONZE, GOLD, SILVER',
        'a category in lower case is unknown'
    ),
    (
        format($$%L, %L, 'BRONZE', 0$$, :bob, :alice), 'count must be between 1 and 100',
        'a sender can''t ask for no coins'
    ),
    (
        format($$%L, %L, 'BRONZE', -1$$, :bob, :alice), 'count must be between 1 and 100',
        'a sender can''t ask for less than none'
    ),
    (
        format($$%L, %L, 'BRONZE', 101$$, :bob, :alice), 'count must be between 1 and 100',
        'a sender can''t ask for more than 100 coins'
    ),
    (
        format($$%L, %L, 'BRONZE', null$$, :bob, :alice), 'count must be between 1 and 100',
        'a sender must say how many when naming the count'
    )
) as c (arguments, message, description);

select is_empty(
    'select key_id from coins.coin_inventory where fetched_by is not null',
    'a refused claim takes nothing'
);

select results_eq(
    format(
        $$select key_id, coin_category, public_key_blob, signature_blob from coins.claim_coins(%L, %L, 'BRONZE')$$,
        :bob, :alice
    ),
    $$values ('d-first', 'BRONZE', 'public key of d-first'::bytea, 'signature of d-first'::bytea)$$,
    'a sender who names no count receives one coin, the oldest, byte for byte'
);
select results_eq(
    'select key_id::text, fetched_by, fetched_at from coins.coin_inventory where fetched_by is not null',
    format($$values ('d-first', %L::uuid, now())$$, :alice),
    'a claimed coin is marked with its sender and the time, and no other coin is'
);
select results_eq(
    format($$select key_id from coins.claim_coins(%L, %L, 'BRONZE', 2)$$, :bob, :dave),
    array['c-second', 'b-third'],
    'a second sender receives the next coins, those of one upload in the order of their arrival'
);
select results_eq(
    format($$select key_id from coins.claim_coins(%L, %L, 'BRONZE', 100)$$, :bob, :alice),
    array['a-fourth', 'e-fifth'],
    'a sender who asks for more than there are receives what is left'
);
select is_empty(
    format($$select key_id from coins.claim_coins(%L, %L, 'BRONZE')$$, :bob, :alice),
    'a sender receives nothing, and no error, when all coins are claimed'
);
select is_empty(
    format($$select key_id from coins.claim_coins(%L, %L, 'SILVER')$$, :bob, :alice),
    'a sender receives no coin of another category instead'
);
select is_empty(
    format($$select key_id from coins.claim_coins(gen_random_uuid(), %L, 'BRONZE')$$, :alice),
    'an unknown recipient has no coins'
);
select results_eq(
    'select key_id::text from coins.coin_inventory where fetched_by is null order by key_id',
    array['golden', 'of carol'],
    'a claim leaves the coins of other recipients and categories alone'
);
select results_eq(
    'select fetched_by, count(*) from coins.coin_inventory where fetched_by is not null group by 1 order by 1',
    format('values (%L::uuid, 3::bigint), (%L, 2)', :alice, :dave),
    'no later claim changes whose a coin is'
);

insert into coins.coin_inventory (user_id, key_id, coin_category, public_key_blob, signature_blob)
select
    :dave as user_id,
    number as key_id,
    'SILVER' as coin_category,
    '' as public_key_blob,
    '' as signature_blob
from generate_series(1, 102) as number;

select results_eq(
    format($$select key_id::integer from coins.claim_coins(%L, %L, 'SILVER', 100)$$, :dave, :alice),
    'select generate_series(1, 100)',
    'a sender may ask for 100 coins and receives no more'
);
select results_eq(
    format($$select key_id::integer from coins.claim_coins(%L, %L, 'SILVER', 1)$$, :dave, :alice),
    array[101],
    'a sender who asks for one coin receives one'
);
select is(
    (
        select count(*) from coins.coin_inventory
        where user_id = :dave and fetched_by is null
    ), 1::bigint,
    'no coin is taken that was not asked for'
);
select is_empty(
    'select key_id from coins.coin_inventory where fetched_by is null and xmax <> 0',
    'and none is locked, so that no other claim misses it'
);

set local role aqm_device;
select results_eq(
    format($$select key_id from coins.claim_coins(%L, %L, 'GOLD')$$, :bob, :alice),
    array['golden'],
    'a device may claim'
);
set local role aqm_anon;
select throws_ok(
    format($$select * from coins.claim_coins(%L, %L, 'BRONZE')$$, :carol, :alice),
    '42501', 'permission denied for function claim_coins',
    'nobody claims without a token'
);
set local role aqm_monitor;
select throws_ok(
    format($$select * from coins.claim_coins(%L, %L, 'BRONZE')$$, :carol, :alice),
    '42501', 'permission denied for function claim_coins',
    'monitoring claims no coin'
);
reset role;
select is(
    (
        select fetched_by from coins.coin_inventory
        where user_id = :carol
    ), null,
    'a caller without the right to claim takes nothing'
);

select * from finish();
rollback;
