begin;
select plan(64);

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

-- Request ids.
\set erin '''e4140000-0000-4000-8000-000000000000'''
\set id '''1d000000-0000-4000-8000-000000000001'''
\set empty_id '''1d000000-0000-4000-8000-000000000002'''
\set limited_id '''1d000000-0000-4000-8000-000000000003'''
insert into coins.coin_inventory (user_id, key_id, coin_category, public_key_blob, signature_blob)
select
    :erin as user_id,
    'e' || number as key_id,
    'BRONZE' as coin_category,
    convert_to('public key of e' || number, 'UTF8') as public_key_blob,
    convert_to('signature of e' || number, 'UTF8') as signature_blob
from generate_series(1, 40) as number;

select is_empty('select * from coins.claim_request', 'without a request id nothing of a claim is remembered');
select results_eq(
    format($$select key_id from coins.claim_coins(%L, %L, 'BRONZE', 2, %L)$$, :erin, :alice, :id),
    array['e1', 'e2'],
    'a claim may carry a request id'
);
select results_eq(
    format($$select key_id from coins.claim_coins(%L, %L, 'BRONZE')$$, :erin, :alice),
    array['e3'],
    'other claims of the sender may come between'
);
select results_eq(
    format($$select * from coins.claim_coins(%L, %L, 'BRONZE', 2, %L)$$, :erin, :alice, :id),
    $$values
    ('e1', 'BRONZE', 'public key of e1'::bytea, 'signature of e1'::bytea),
    ('e2', 'BRONZE', 'public key of e2', 'signature of e2')$$,
    'a retry with its id gets the same coins again, byte for byte'
);
select is(
    (
        select count(*) from coins.coin_inventory
        where user_id = :erin and fetched_by is not null
    ), 3::bigint,
    'and takes no other'
);
select
    throws_ok(
        format('select * from coins.claim_coins(%s, %L)', other.arguments, :id),
        'PT422', 'this request id was used for another claim', other.description
    )
from (
    values
    (format($$%L, %L, 'BRONZE', 2$$, :bob, :alice), 'the id is refused for a claim of another recipient'),
    (format($$%L, %L, 'SILVER', 2$$, :erin, :alice), 'the id is refused for a claim of another category'),
    (format($$%L, %L, 'BRONZE', 3$$, :erin, :alice), 'the id is refused for a claim of another count')
) as other (arguments, description);
select throws_ok(
    format($$select * from coins.claim_coins(%L, %L, 'BRONZE', 0, %L)$$, :erin, :alice, :id),
    '22023', 'count must be between 1 and 100',
    'a bad claim is refused as such, whatever its id'
);
select results_eq(
    format($$select key_id from coins.claim_coins(%L, %L, 'BRONZE', 2, %L)$$, :erin, :dave, :id),
    array['e4', 'e5'],
    'another sender with the same id gets coins of its own'
);
select is_empty(
    format($$select key_id from coins.claim_coins(%L, %L, 'GOLD', 1, %L)$$, :erin, :alice, :empty_id),
    'a claim with an id may find nothing'
);
insert into coins.coin_inventory (user_id, key_id, coin_category, public_key_blob, signature_blob)
values (:erin, 'golden', 'GOLD', '', '');
select results_eq(
    format($$select key_id from coins.claim_coins(%L, %L, 'GOLD', 1, %L)$$, :erin, :alice, :empty_id),
    array['golden'],
    'nothing is not remembered: a retry gets a coin once there is one'
);
delete from coins.coin_inventory
where user_id = :erin and key_id = 'e2';
select throws_ok(
    format($$select * from coins.claim_coins(%L, %L, 'BRONZE', 2, %L)$$, :erin, :alice, :id),
    'PT410', 'the coins of this request are deleted',
    'once a coin is hard-deleted a retry is told so, and gets neither the other one nor new ones'
);

-- Quotas: e6 to e40 are left. A coin of a pair comes back every 100 seconds.
select lives_ok($$select coins.set_claim_quota('pair', true, 4, '400 seconds')$$, 'an operator may set a quota');
create view pg_temp.missing as
select
    qu.requester_id,
    -- By ten seconds: the clock goes on while this file runs.
    make_interval(secs => 10 * round(extract(epoch from qu.full_at - now()) / 10)) as time_to_full
from coins.quota_use as qu;

select throws_ok(
    format($$select * from coins.claim_coins(%L, %L, 'BRONZE', 101)$$, :erin, :alice),
    '22023', 'count must be between 1 and 100',
    'a bad claim is refused where there are quotas, too'
);
select is_empty('select * from pg_temp.missing', 'and is not charged');
select is_empty(
    format($$select key_id from coins.claim_coins(%L, %L, 'SILVER', 4)$$, :erin, :alice),
    'a claim may find nothing where there are quotas'
);
select results_eq(
    format($$select key_id from coins.claim_coins(%L, %L, 'BRONZE', 3, gen_random_uuid())$$, :erin, :alice),
    array['e6', 'e7', 'e8'],
    'who received nothing has the whole quota still'
);
select results_eq(
    'select time_to_full from pg_temp.missing', array[interval '300 seconds'],
    'a claim is charged by the coins that were given'
);
select results_eq(
    format($$select key_id from coins.claim_coins(%L, %L, 'BRONZE', 4, %L)$$, :erin, :alice, :limited_id),
    array['e9'],
    'a sender receives what the quota has left'
);
select throws_ok(
    format($$select * from coins.claim_coins(%L, %L, 'BRONZE')$$, :erin, :alice),
    'PT429', 'the quota of coins for this recipient is used up',
    'a sender who used up the quota is refused'
);
select results_eq(
    format($$select key_id from coins.claim_coins(%L, %L, 'BRONZE', 4, %L)$$, :erin, :alice, :limited_id),
    array['e9'],
    'a retry is no new claim: it is answered however the quota stands'
);
select results_eq(
    'select time_to_full from pg_temp.missing', array[interval '400 seconds'],
    'and neither it nor a refusal is charged'
);
create function pg_temp.wait_of_refused_claim()
returns text
language plpgsql
as $$
declare
    v_detail text;
begin
    perform coins.claim_coins('e4140000-0000-4000-8000-000000000000', 'a11ce000-0000-4000-8000-000000000000', 'BRONZE');
    return 'not refused';
exception
    when sqlstate 'PT429' then
        get stacked diagnostics v_detail = pg_exception_detail;
        return v_detail;
end
$$;
update coins.quota_use
set full_at = full_at - interval '30.5 seconds';
select is(
    pg_temp.wait_of_refused_claim(), 'Retry-After: 70', 'a refused sender is told the seconds, rounded up, to wait'
);
update coins.quota_use
set full_at = full_at - interval '69.5 seconds';
select results_eq(
    format($$select key_id from coins.claim_coins(%L, %L, 'BRONZE', 2)$$, :erin, :alice),
    array['e10'],
    'and then receives one coin'
);
select results_eq(
    format($$select key_id from coins.claim_coins(%L, %L, 'BRONZE', 5)$$, :erin, :dave),
    array['e11', 'e12', 'e13', 'e14'],
    'the quota of one sender is not that of another'
);
select lives_ok(
    $$select coins.set_claim_quota('recipient', true, 2, '2 days'), coins.set_claim_quota('pair', false)$$,
    'an operator may limit all senders together'
);
select results_eq(
    format($$select key_id from coins.claim_coins(%L, %L, 'BRONZE', 5)$$, :erin, :alice),
    array['e15', 'e16'],
    'a quota that is lifted stands in nobody''s way'
);
select throws_ok(
    format($$select * from coins.claim_coins(%L, gen_random_uuid(), 'BRONZE')$$, :erin),
    'PT429', 'the quota of coins for this recipient is used up',
    'senders can''t share out among them what drains a recipient'
);
select throws_ok(
    format($$select * from coins.claim_coins(null, %L, 'BRONZE')$$, :alice),
    '22023', 'target_user_id must not be null',
    'a claim without a recipient is told so under a quota too'
);
select lives_ok($$select coins.set_claim_quota('recipient', false)$$, 'quotas may be lifted');

-- The mark is a hint. e17 to e40 are left, all of one moment.
insert into coins.queue_mark (user_id, coin_category, uploaded_at, record_id, low_from)
select
    ci.user_id,
    ci.coin_category,
    ci.uploaded_at,
    ci.record_id,
    0 as low_from
from coins.coin_inventory as ci
where ci.user_id = :erin and ci.key_id = 'e39'
on conflict on constraint pk_queue_mark do update
    set uploaded_at = excluded.uploaded_at, record_id = excluded.record_id;
select set_eq(
    format($$select key_id from coins.claim_coins(%L, %L, 'BRONZE', 3)$$, :erin, :alice),
    array['e39', 'e40', 'e17'],
    'a sender receives all it asks for though a part lies behind the mark'
);
insert into coins.queue_mark (user_id, coin_category, uploaded_at, record_id, low_from)
values (:erin, 'BRONZE', 'infinity', 0, 0)
on conflict on constraint pk_queue_mark do update
    set uploaded_at = excluded.uploaded_at, record_id = excluded.record_id;
select results_eq(
    format($$select key_id from coins.claim_coins(%L, %L, 'BRONZE')$$, :erin, :alice),
    array['e18'],
    'a mark beyond all coins hides none'
);

-- e19 to e38 are left, 20 coins. What is notified is heard at COMMIT only: it is written down here instead.
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
    format($$select count(*) from coins.claim_coins(%L, %L, 'BRONZE', 10)$$, :erin, :alice), array[10::bigint],
    'a claim may take a category to its threshold'
);
select is_empty('select * from ear.heard', 'and the device is not told');
select results_eq(
    format($$select count(*) from coins.claim_coins(%L, %L, 'BRONZE', 3)$$, :erin, :alice), array[3::bigint],
    'a claim may take it below'
);
select results_eq(
    'select words from ear.heard', array['coins_stock e4140000-0000-4000-8000-000000000000'],
    'then the device is told'
);

select * from finish();
rollback;
