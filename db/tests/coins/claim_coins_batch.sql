begin;
select plan(19);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set carol '''ca401000-0000-4000-8000-000000000000'''
\set dave '''dafe0000-0000-4000-8000-000000000000'''

-- Neither the place on disk nor the time alone gives the queue 01 to 12: record_id decides within one moment.
insert into coins.coin_inventory (
    record_id, user_id, key_id, coin_category, public_key_blob, signature_blob, uploaded_at
)
overriding system value
select
    place as record_id,
    :bob as user_id,
    to_char(place, 'FM00') as key_id,
    'BRONZE' as coin_category,
    convert_to('public key of ' || place, 'UTF8') as public_key_blob,
    convert_to('signature of ' || place, 'UTF8') as signature_blob,
    now() - case when place <= 6 then interval '1 hour' else interval '0' end as uploaded_at
from generate_series(12, 1, -1) as place;

insert into coins.coin_inventory (user_id, key_id, coin_category, public_key_blob, signature_blob)
values
(:bob, 'golden', 'GOLD', '', ''),
(:carol, 'c1', 'BRONZE', '', ''),
(:carol, 'c2', 'BRONZE', '', ''),
(:carol, 'c3', 'BRONZE', '', '');

select is_empty(
    $$select * from coins.claim_coins_batch('{}', '{}', '{}', '{}')$$,
    'no calls, no answers'
);
select is_empty(
    'select * from coins.claim_coins_batch(null, null, null, null)',
    'no lists of calls, no answers'
);

select results_eq(
    format(
        $$select call_number, error_code, error_message, key_id, coin_category, public_key_blob, signature_blob
        from coins.claim_coins_batch(
            array[null, %1$L, %1$L, %1$L, %1$L, %1$L, %1$L, %1$L]::uuid[],
            array[%2$L, null, %2$L, %2$L, %2$L, %2$L, %2$L, %2$L]::uuid[],
            array['BRONZE', 'BRONZE', null, 'PLATIN', 'bronze', 'BRONZE', 'BRONZE', 'BRONZE'],
            array[1, 1, 1, 1, 1, 0, 101, null]
        )$$,
        :bob, :alice
    ),
    $$select number::integer, '22023', message, null::text, null::text, null::bytea, null::bytea
    from unnest(array[
        'target_user_id must not be null',
        'requester_id must not be null',
        'coin_category must be one of BRONZE, GOLD, SILVER',
        'coin_category must be one of BRONZE, GOLD, SILVER',
        'coin_category must be one of BRONZE, GOLD, SILVER',
        'count must be between 1 and 100',
        'count must be between 1 and 100',
        'count must be between 1 and 100'
    ]) with ordinality as refusal (message, number)$$,
    'each refused call has a row that says why, as claim_coins() does'
);
select results_eq(
    format(
        $$select call_number, error_code, error_message
        from coins.claim_coins_batch(array[%L, %L]::uuid[], array[%L]::uuid[], '{BRONZE,BRONZE}', '{0,1}')$$,
        :bob, :bob, :alice
    ),
    $$values
    (1, '22023', 'count must be between 1 and 100'),
    (2, '22023', 'requester_id must not be null')$$,
    'a call with an element missing is refused by its name'
);
select is_empty(
    'select key_id from coins.coin_inventory where fetched_by is not null',
    'refused calls take nothing'
);

select results_eq(
    format(
        $$select call_number, error_code, key_id, coin_category, public_key_blob, signature_blob
        from coins.claim_coins_batch(array[%L]::uuid[], array[%L]::uuid[], '{BRONZE}', '{1}')$$,
        :bob, :alice
    ),
    $$values (1, null, '01', 'BRONZE', 'public key of 1'::bytea, 'signature of 1'::bytea)$$,
    'a call alone receives the oldest coin, byte for byte'
);
select results_eq(
    'select key_id::text, fetched_by, fetched_at from coins.coin_inventory where fetched_by is not null',
    format($$values ('01', %L::uuid, now())$$, :alice),
    'a claimed coin is marked with its sender and the time, and no other coin is'
);

-- 02 to 12 are left. Calls 2 and 4 are refused, 3 and 6 are of other queues.
select results_eq(
    format(
        $$select call_number, error_code, key_id
        from coins.claim_coins_batch(
            array[%1$L, %1$L, %2$L, %1$L, %1$L, %1$L, %2$L, %1$L]::uuid[],
            array[%3$L, %3$L, %4$L, %3$L, %4$L, %3$L, %3$L, %3$L]::uuid[],
            '{BRONZE,BRONZE,BRONZE,bronze,BRONZE,GOLD,BRONZE,BRONZE}',
            '{3,101,1,5,2,1,1,1}'
        )$$,
        :bob, :carol, :alice, :dave
    ),
    $$values
    (1, null, '02'), (1, null, '03'), (1, null, '04'),
    (2, '22023', null),
    (3, null, 'c1'),
    (4, '22023', null),
    (5, null, '05'), (5, null, '06'),
    (6, null, 'golden'),
    (7, null, 'c2'),
    (8, null, '07')$$,
    'the calls on one queue are served in their order, each oldest first; refused ones take no place'
);
select results_eq(
    $$select fetched_by, string_agg(key_id, ' ' order by key_id) from coins.coin_inventory
    where fetched_by is not null group by 1 order by 1$$,
    format($$values (%L::uuid, '01 02 03 04 07 c2 golden'), (%L, '05 06 c1')$$, :alice, :dave),
    'each coin is marked with the sender of the call that received it'
);
select results_eq(
    'select key_id::text from coins.coin_inventory where fetched_by is null order by key_id',
    array['08', '09', '10', '11', '12', 'c3'],
    'no coin is taken that was not asked for'
);

select results_eq(
    format(
        $$select call_number, error_code, key_id
        from coins.claim_coins_batch(
            array_fill(%L::uuid, array[4]), array_fill(%L::uuid, array[4]),
            '{BRONZE,BRONZE,BRONZE,BRONZE}', '{3,100,1,1}'
        )$$,
        :bob, :alice
    ),
    $$values (1, null, '08'), (1, null, '09'), (1, null, '10'), (2, null, '11'), (2, null, '12')$$,
    'the call for which the queue runs short receives what is left, the calls after it no row and no error'
);
select results_eq(
    format(
        $$select call_number, error_code, key_id
        from coins.claim_coins_batch(
            array[%1$L, gen_random_uuid(), %2$L, %2$L, %2$L]::uuid[], array_fill(%3$L::uuid, array[5]),
            '{BRONZE,BRONZE,SILVER,BRONZE,BRONZE}', '{1,1,1,1,1}'
        )$$,
        :bob, :carol, :alice
    ),
    $$values (4, null, 'c3')$$,
    'an empty queue, an unknown recipient and a category without coins take nothing from others'
);
select is(
    (
        select count(*) from coins.coin_inventory
        where fetched_by is not null
    ), 16::bigint,
    'every coin that is marked was in an answer'
);

insert into coins.coin_inventory (user_id, key_id, coin_category, public_key_blob, signature_blob)
select
    :dave as user_id,
    number as key_id,
    'SILVER' as coin_category,
    '' as public_key_blob,
    '' as signature_blob
from generate_series(1, 250) as number;

select results_eq(
    format(
        $$select call_number, count(*), min(key_id::integer), max(key_id::integer)
        from coins.claim_coins_batch(
            array_fill(%L::uuid, array[3]), array_fill(%L::uuid, array[3]), '{SILVER,SILVER,SILVER}', '{100,1,100}'
        )
        group by 1 order by 1$$,
        :dave, :alice
    ),
    'values (1, 100::bigint, 1, 100), (2, 1, 101, 101), (3, 100, 102, 201)',
    'a call may ask for 100 coins and receives no more'
);
select is(
    (
        select count(*) from coins.coin_inventory
        where user_id = :dave and fetched_by is null
    ), 49::bigint,
    'a long queue keeps what nobody asked for'
);
select is_empty(
    'select key_id from coins.coin_inventory where fetched_by is null and xmax <> 0',
    'and locks none of it, so that no other claim misses it'
);

set local role aqm_device;
select results_eq(
    format(
        $$select key_id from coins.claim_coins_batch(array[%L]::uuid[], array[%L]::uuid[], '{SILVER}', '{1}')$$,
        :dave, :alice
    ),
    array['202'],
    'a device may claim in a batch'
);
set local role aqm_anon;
select throws_ok(
    format(
        $$select key_id from coins.claim_coins_batch(array[%L]::uuid[], array[%L]::uuid[], '{SILVER}', '{1}')$$,
        :dave, :alice
    ),
    '42501', 'permission denied for function claim_coins_batch',
    'nobody claims in a batch without a token'
);
reset role;
select is(
    (
        select count(*) from coins.coin_inventory
        where user_id = :dave and fetched_by is null
    ), 48::bigint,
    'a caller without the right to claim takes nothing'
);

select * from finish();
rollback;
