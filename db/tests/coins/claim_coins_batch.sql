begin;
select plan(44);

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
    $$select * from coins.claim_coins_batch('{}', '{}', '{}', '{}', '{}')$$,
    'no calls, no answers'
);
select is_empty(
    'select * from coins.claim_coins_batch(null, null, null, null, null)',
    'no lists of calls, no answers'
);

select results_eq(
    format(
        $$select
            call_number, error_code, error_message, error_detail, key_id, coin_category, public_key_blob, signature_blob
        from coins.claim_coins_batch(
            array[null, %1$L, %1$L, %1$L, %1$L, %1$L, %1$L, %1$L]::uuid[],
            array[%2$L, null, %2$L, %2$L, %2$L, %2$L, %2$L, %2$L]::uuid[],
            array['BRONZE', 'BRONZE', null, 'PLATIN', 'bronze', 'BRONZE', 'BRONZE', 'BRONZE'],
            array[1, 1, 1, 1, 1, 0, 101, null], array_fill(null::uuid, array[8])
        )$$,
        :bob, :alice
    ),
    $$select number::integer, '22023', message, null::text, null::text, null::text, null::bytea, null::bytea
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
        from coins.claim_coins_batch(array[%L, %L]::uuid[], array[%L]::uuid[], '{BRONZE,BRONZE}', '{0,1}', '{}')$$,
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
        from coins.claim_coins_batch(array[%L]::uuid[], array[%L]::uuid[], '{BRONZE}', '{1}', '{null}')$$,
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
            '{3,101,1,5,2,1,1,1}', array_fill(null::uuid, array[8])
        )
        with ordinality as b (
            call_number, error_code, error_message, error_detail,
            key_id, coin_category, public_key_blob, signature_blob, place
        )
        order by call_number, place$$,
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
            '{BRONZE,BRONZE,BRONZE,BRONZE}', '{3,100,1,1}', array_fill(null::uuid, array[4])
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
            '{BRONZE,BRONZE,SILVER,BRONZE,BRONZE}', '{1,1,1,1,1}', array_fill(null::uuid, array[5])
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
            array_fill(%L::uuid, array[3]), array_fill(%L::uuid, array[3]), '{SILVER,SILVER,SILVER}', '{100,1,100}',
            array_fill(null::uuid, array[3])
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
        $$select key_id
        from coins.claim_coins_batch(array[%L]::uuid[], array[%L]::uuid[], '{SILVER}', '{1}', '{null}')$$,
        :dave, :alice
    ),
    array['202'],
    'a device may claim in a batch'
);
set local role aqm_anon;
select throws_ok(
    format(
        $$select key_id
        from coins.claim_coins_batch(array[%L]::uuid[], array[%L]::uuid[], '{SILVER}', '{1}', '{null}')$$,
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

-- Request ids.
\set erin '''e4140000-0000-4000-8000-000000000000'''
\set id '''1d000000-0000-4000-8000-000000000001'''
\set alone_id '''1d000000-0000-4000-8000-000000000002'''
\set empty_id '''1d000000-0000-4000-8000-000000000003'''
\set new_id '''1d000000-0000-4000-8000-000000000004'''
\set twin_id '''1d000000-0000-4000-8000-000000000005'''
insert into coins.coin_inventory (user_id, key_id, coin_category, public_key_blob, signature_blob)
select
    :erin as user_id,
    'e' || number as key_id,
    'BRONZE' as coin_category,
    convert_to('public key of e' || number, 'UTF8') as public_key_blob,
    convert_to('signature of e' || number, 'UTF8') as signature_blob
from generate_series(1, 40) as number;

-- What calls on erin's BRONZE coins are answered, in short: number, then the key or the refusal.
create function pg_temp.claim(p_requester_ids uuid[], p_counts integer[], p_request_ids uuid[])
returns setof text
language plpgsql
as $$
begin
    return query
    select concat_ws(' ', b.call_number, b.key_id, b.error_code, b.error_message, b.error_detail)
    from coins.claim_coins_batch(
        array_fill('e4140000-0000-4000-8000-000000000000'::uuid, array[cardinality(p_counts)]), p_requester_ids,
        array_fill('BRONZE'::text, array[cardinality(p_counts)]), p_counts, p_request_ids
    ) with ordinality as b (
        call_number, error_code, error_message, error_detail,
        key_id, coin_category, public_key_blob, signature_blob, place
    )
    order by b.call_number, b.place;
end
$$;

select is_empty('select * from coins.claim_request', 'calls without request ids are not remembered');
select results_eq(
    format($$select key_id from coins.claim_coins(%L, %L, 'BRONZE', 2, %L)$$, :erin, :alice, :alone_id),
    array['e1', 'e2'],
    'a call that was made alone'
);
select results_eq(
    format(
        $$select pg_temp.claim(
            array[%1$L, %1$L, %2$L, %1$L]::uuid[], '{1,2,2,2}', array[%3$L, %4$L, %3$L, null]::uuid[]
        )$$,
        :alice, :dave, :id, :alone_id
    ),
    array['1 e3', '2 e1', '2 e2', '3 e4', '3 e5', '4 e6', '4 e7'],
    'may be retried in a batch, and takes no place in the queue; an id is a sender''s own'
);
select results_eq(
    format(
        $$select * from coins.claim_coins(%1$L, %2$L, 'BRONZE', 1, %4$L)
        union all select * from coins.claim_coins(%1$L, %3$L, 'BRONZE', 2, %4$L)$$,
        :erin, :alice, :dave, :id
    ),
    $$select 'e' || n, 'BRONZE', convert_to('public key of e' || n, 'UTF8'), convert_to('signature of e' || n, 'UTF8')
    from unnest('{3,4,5}'::integer[]) as n$$,
    'a call of a batch may be retried alone and gets the same coins again, byte for byte'
);
select results_eq(
    format(
        $$select pg_temp.claim(
            array_fill(%L::uuid, array[4]), '{1,1,2,0}', array[%L, null, %L, %3$L]::uuid[]
        )$$,
        :alice, :new_id, :id
    ),
    array[
        '1 e8', '2 e9', '3 PT422 this request id was used for another claim',
        '4 22023 count must be between 1 and 100'
    ],
    'an id is refused for another claim, and the other calls are served'
);
select results_eq(
    format(
        $$select pg_temp.claim(array_fill(%L::uuid, array[3]), '{1,1,1}', array[%L, %2$L, null]::uuid[])$$,
        :alice, :twin_id
    ),
    array['1 e10', '2 55P03 another claim has this request id', '3 e11'],
    'of two calls with one id in a batch the second must be made alone'
);
select is_empty(
    format(
        $$select key_id from coins.claim_coins_batch(
            array[%L]::uuid[], array[%L]::uuid[], '{GOLD}', '{1}', array[%L]::uuid[]
        )$$,
        :erin, :alice, :empty_id
    ),
    'a call with an id may find nothing'
);
select is_empty(
    format('select * from coins.claim_request where request_id = %L', :empty_id),
    'and nothing is not remembered'
);
delete from coins.coin_inventory
where user_id = :erin and key_id = 'e2';
select results_eq(
    format(
        $$select pg_temp.claim(array_fill(%L::uuid, array[2]), '{2,1}', array[%L, null]::uuid[])$$, :alice, :alone_id
    ),
    array['1 PT410 the coins of this request are deleted', '2 e12'],
    'once a coin is hard-deleted a retry is told so, and gets neither the other one nor new ones'
);

-- Quotas: e13 to e40 are left. A coin of a pair comes back every 100 seconds.
select lives_ok($$select coins.set_claim_quota('pair', true, 4, '400 seconds')$$, 'an operator may set a quota');
create view pg_temp.missing as
select
    qu.requester_id,
    -- By ten seconds: the clock goes on while this file runs.
    make_interval(secs => 10 * round(extract(epoch from qu.full_at - now()) / 10)) as time_to_full
from coins.quota_use as qu;
select results_eq(
    format(
        $$select pg_temp.claim(
            array[%1$L, %2$L, %1$L, %1$L, %1$L]::uuid[], '{3,1,3,1,101}', array_fill(null::uuid, array[5])
        )$$,
        :alice, :dave
    ),
    array[
        '1 e13', '1 e14', '1 e15', '2 e16', '3 e17',
        '4 55P03 the quota of coins for this recipient is used up Retry-After: 100',
        '5 22023 count must be between 1 and 100'
    ],
    'calls of one sender share its quota: what is left is given, and who comes too late must ask alone'
);
select set_eq(
    'select requester_id, time_to_full from pg_temp.missing',
    format($$values (%L::uuid, interval '400 seconds'), (%L, interval '100 seconds')$$, :alice, :dave),
    'each sender is charged by the coins that were given, and a refused call gives nothing back'
);
select results_eq(
    format(
        $$select pg_temp.claim(array[%L, %L]::uuid[], '{1,1}', array[%L, null]::uuid[])$$,
        :alice, :dave, :id
    ),
    array['1 e3', '2 e18'],
    'a retry is no new claim: it is answered however the quota stands'
);
select is(
    (
        select time_to_full from pg_temp.missing
        where requester_id = :alice
    ), interval '400 seconds',
    'and not charged again'
);
update coins.quota_use
set full_at = full_at - interval '250 seconds';
select results_eq(
    format($$select pg_temp.claim(array[%1$L, %1$L]::uuid[], '{4,1}', array[%2$L, null]::uuid[])$$, :alice, :alone_id),
    array['1 PT422 this request id was used for another claim', '2 e19'],
    'a misused id costs nothing'
);
select is(
    (
        select time_to_full from pg_temp.missing
        where requester_id = :alice
    ), interval '250 seconds',
    'coins come back with time, whole or in part'
);
select is_empty(
    format(
        $$select key_id from coins.claim_coins_batch(
            array[%L]::uuid[], array[%L]::uuid[], '{SILVER}', '{4}', '{null}'
        )$$,
        :erin, :carol
    ),
    'a call may find nothing where there are quotas'
);
select is(
    (
        select time_to_full from pg_temp.missing
        where requester_id = :carol
    ), interval '0 seconds',
    'and what was charged for it comes back'
);
select lives_ok($$select coins.set_claim_quota('pair', false)$$, 'a quota may be lifted');

-- The mark is a hint. e20 to e40 are left, all of one moment.
insert into coins.queue_mark (user_id, coin_category, uploaded_at, record_id, low_from)
values (:erin, 'BRONZE', 'infinity', 0, 0)
on conflict on constraint pk_queue_mark do update
    set uploaded_at = excluded.uploaded_at, record_id = excluded.record_id;
select results_eq(
    format($$select pg_temp.claim(array[%L]::uuid[], '{1}', '{null}')$$, :alice),
    array['1 e20'],
    'a mark beyond all coins hides none'
);
insert into coins.queue_mark (user_id, coin_category, uploaded_at, record_id, low_from)
select
    ci.user_id,
    ci.coin_category,
    ci.uploaded_at,
    ci.record_id,
    0 as low_from
from coins.coin_inventory as ci
where ci.user_id = :erin and ci.key_id = 'e40'
on conflict on constraint pk_queue_mark do update
    set uploaded_at = excluded.uploaded_at, record_id = excluded.record_id;
select is(
    (
        select count(*)
        from pg_temp.claim(array[:alice, :dave]::uuid[], '{2,1}', array_fill(null::uuid, array[2]))
    ), 3::bigint,
    'calls receive all they ask for though a part lies behind the mark'
);
delete from coins.queue_mark;

-- 17 coins are left. What is notified is heard at COMMIT only: it is written down here instead.
create schema ear;
create table ear.heard (
    words text
);
create function ear.pg_notify(p_channel text, p_payload text)
returns void
language sql
begin atomic
    insert into ear.heard (words) values (p_channel || ' ' || p_payload);
end;
grant usage on schema ear to public;
grant insert on ear.heard to public;
do $$ begin alter function coins.tend_queue set search_path = ear, pg_catalog, pg_temp; end $$;
select results_eq(
    format(
        $$select count(*)
        from pg_temp.claim(array_fill(%L::uuid, array[2]), '{3,4}', array_fill(null::uuid, array[2]))$$,
        :alice
    ),
    array[7::bigint],
    'a batch may take a category to its threshold'
);
select is_empty('select * from ear.heard', 'and the device is not told');
select results_eq(
    format(
        $$select count(*)
        from pg_temp.claim(array_fill(%L::uuid, array[2]), '{1,2}', array_fill(null::uuid, array[2]))$$,
        :alice
    ),
    array[3::bigint],
    'a batch may take it below'
);
select results_eq(
    'select words from ear.heard', array['coins_stock e4140000-0000-4000-8000-000000000000'],
    'then the device is told, once for all calls'
);

select * from finish();
rollback;
