begin;
select plan(8);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set carol '''ca401000-0000-4000-8000-000000000000'''
\set id '''1d000000-0000-4000-8000-000000000001'''
create function pg_temp.claims()
returns coins.claim_wish[]
language sql
immutable
return array[
    ('b0b00000-0000-4000-8000-000000000000', 'BRONZE', 3, false),
    ('ca401000-0000-4000-8000-000000000000', 'GOLD', 1, true),
    ('b0b00000-0000-4000-8000-000000000000', 'SILVER', 1, false)
]::coins.claim_wish[];

insert into coins.coin_inventory (
    user_id, key_id, coin_category, public_key_blob, signature_blob, fetched_by, fetched_at
)
values
(:bob, 'a', 'BRONZE', 'public key of a', 'signature of a', :alice, now()),
(:bob, 'b', 'BRONZE', 'public key of b', 'signature of b', :alice, now()),
(:bob, 'unclaimed', 'BRONZE', '', '', null, null);
insert into coins.last_resort_coin (user_id, coin_category, key_id, public_key_blob, signature_blob)
values
(:carol, 'GOLD', 'last', 'public key of last', 'signature of last'),
(:bob, 'SILVER', 'not accepted', '', '');
insert into coins.claim_request (
    requester_id, request_id, entry, asked, key_ids, last_resort_key_id, remaining, retry_after
)
values
(:alice, :id, 3, '', '{}', null, 0, null),
(:alice, :id, 1, '', '{b,a}', null, 7, null),
(:alice, :id, 2, '', '{}', 'last', 4, 60);

select is_empty(
    format('select * from coins.repeat_outcomes(%L, pg_temp.claims(), gen_random_uuid())', :alice),
    'an id that is not known has no outcomes'
);
select results_eq(
    format(
        'select target_user_id, coin_category, requested, remaining, retry_after
        from coins.repeat_outcomes(%L, pg_temp.claims(), %L)',
        :alice, :id
    ),
    format(
        $$values (%1$L::uuid, 'BRONZE', 3, 7, null), (%2$L, 'GOLD', 1, 4, 60), (%1$L, 'SILVER', 1, 0, null)$$,
        :bob, :carol
    ),
    'a retry gets the outcomes in the order of its elements, with what was left then, not what is left now'
);
select results_eq(
    format(
        $$select o.place, c.* from coins.repeat_outcomes(%L, pg_temp.claims(), %L)
        with ordinality as o (target_user_id, coin_category, requested, remaining, retry_after, coins, place)
        cross join unnest(o.coins) as c$$,
        :alice, :id
    ),
    $$values
    (1::bigint, 'b', 'BRONZE', 'public key of b'::bytea, 'signature of b'::bytea, false),
    (1, 'a', 'BRONZE', 'public key of a', 'signature of a', false),
    (2, 'last', 'GOLD', 'public key of last', 'signature of last', true)$$,
    'the coins are the same, byte for byte and in their order, and the last-resort coin is marked'
);
select is(
    (
        select outcome.coins
        from coins.repeat_outcomes(:alice, pg_temp.claims(), :id) as outcome
        where outcome.coin_category = 'SILVER'
    ), '{}',
    'an element that received nothing has an empty list, not a null'
);
select is_empty(
    format('select * from coins.repeat_outcomes(%L, pg_temp.claims(), %L)', :carol, :id),
    'another sender never gets the coins by the same id'
);

update coins.last_resort_coin
set key_id = 'next'
where key_id = 'last';
select throws_ok(
    format('select * from coins.repeat_outcomes(%L, pg_temp.claims(), %L)', :alice, :id),
    'PT410', 'the coins of this request are deleted',
    'a sender whose last-resort coin is replaced is told so, and never gets another instead'
);
update coins.last_resort_coin
set key_id = 'last'
where key_id = 'next';
select lives_ok(
    format('select * from coins.repeat_outcomes(%L, pg_temp.claims(), %L)', :alice, :id),
    'a sender may retry as often as it wants'
);
delete from coins.coin_inventory
where key_id = 'b';
select throws_ok(
    format('select * from coins.repeat_outcomes(%L, pg_temp.claims(), %L)', :alice, :id),
    'PT410', 'the coins of this request are deleted',
    'a sender gets no part of its coins when one is hard-deleted'
);

select * from finish();
rollback;
