begin;
select plan(9);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set carol '''ca401000-0000-4000-8000-000000000000'''

insert into coins.coin_inventory (user_id, key_id, coin_category, public_key_blob, signature_blob)
select
    :bob as user_id,
    'b' || number as key_id,
    'BRONZE' as coin_category,
    convert_to('public key of b' || number, 'UTF8') as public_key_blob,
    convert_to('signature of b' || number, 'UTF8') as signature_blob
from generate_series(1, 4) as number;
insert into coins.last_resort_coin (user_id, coin_category, key_id, public_key_blob, signature_blob)
values
(:bob, 'BRONZE', 'last of bob', '', ''),
(:carol, 'GOLD', 'last of carol', 'public key of last', 'signature of last');

-- Outcomes in short: what was asked and left, the wait, the coins; * marks a last resort.
create function pg_temp.short(p_claims coins.claim_wish[])
returns setof text
language plpgsql
as $$
begin
    return query
    select
        format(
            '%s %s %s of %s, wait %s: %s', left(o.target_user_id::text, 2), o.coin_category, o.remaining, o.requested,
            o.retry_after,
            (
                select string_agg(c.key_id || case when c.last_resort then '*' else '' end, ' ' order by c.place)
                from unnest(o.coins) with ordinality
                as c (key_id, coin_category, public_key_blob, signature_blob, last_resort, place)
            )
        )
    from coins.make_outcomes('a11ce000-0000-4000-8000-000000000000', p_claims)
    with ordinality as o (target_user_id, coin_category, requested, remaining, retry_after, coins, place)
    order by o.place;
end
$$;

select results_eq(
    format(
        $$select c.* from coins.make_outcomes(%L, array[(%L, 'BRONZE', 1, true)]::coins.claim_wish[]) as o
        cross join unnest(o.coins) as c$$,
        :alice, :bob
    ),
    $$values ('b1', 'BRONZE', 'public key of b1'::bytea, 'signature of b1'::bytea, false)$$,
    'a sender receives the oldest coin byte for byte; who accepts a last resort gets none while there are others'
);
select results_eq(
    format(
        $$select pg_temp.short(
            array[(%1$L, 'BRONZE', 1, true), (%2$L, 'GOLD', 2, false), (%1$L, 'BRONZE', 5, true),
            (%2$L, 'GOLD', 1, true), (%1$L, 'BRONZE', 1, true), (%1$L, 'BRONZE', 1, null)]::coins.claim_wish[]
        )$$,
        :bob, :carol
    ),
    array[
        'b0 BRONZE 0 of 1, wait : b2',
        'ca GOLD 0 of 2, wait : ',
        'b0 BRONZE 0 of 5, wait : b3 b4',
        'ca GOLD 0 of 1, wait : last of carol*',
        'b0 BRONZE 0 of 1, wait : last of bob*',
        'b0 BRONZE 0 of 1, wait : '
    ],
    'elements on one recipient are served in their order, each with coins of its own, then the last resort if accepted'
);
select is(
    (
        select count(*) from coins.coin_inventory
        where fetched_by = :alice
    ), 4::bigint,
    'every coin that was given is marked with its sender'
);
select is(
    (
        select count(*)
        from
            coins.make_outcomes(
                :alice, array[(gen_random_uuid(), 'BRONZE', 1, true)]::coins.claim_wish[]
            ) as outcome
        where outcome.coins = '{}'
    ), 1::bigint,
    'whoever gets nothing gets an empty list, not a null'
);

insert into coins.coin_inventory (user_id, key_id, coin_category, public_key_blob, signature_blob)
select
    :carol as user_id,
    'c' || number as key_id,
    'BRONZE' as coin_category,
    convert_to('public key of c' || number, 'UTF8') as public_key_blob,
    '' as signature_blob
from generate_series(1, 9) as number;
update coins.claim_quota
set is_enabled = true, coins = 3, period = interval '30 seconds'
where scope = 'pair';
select results_eq(
    format(
        $$select pg_temp.short(
            array[(%1$L, 'BRONZE', 2, false), (%1$L, 'BRONZE', 2, true), (%1$L, 'BRONZE', 1, false),
            (%1$L, 'GOLD', 1, true)]::coins.claim_wish[]
        )$$,
        :carol
    ),
    array[
        'ca BRONZE 6 of 2, wait : c1 c2',
        'ca BRONZE 6 of 2, wait : c3',
        'ca BRONZE 6 of 1, wait 10: ',
        'ca GOLD 0 of 1, wait 10: last of carol*'
    ],
    'a quota gives what it has left; an element after that learns when to retry and may get the last resort'
);
select is(
    (
        select make_interval(secs => 10 * round(extract(epoch from full_at - now()) / 10)) from coins.quota_use
        where target_user_id = :carol
    ), interval '30 seconds',
    'one-time coins are charged, a last resort is not'
);
select is_empty('select * from coins.claim_request', 'nothing is remembered here: that is up to claim_many()');
delete from coins.quota_use;
insert into coins.coin_inventory (user_id, key_id, coin_category, public_key_blob, signature_blob)
values (:carol, 'silver', 'SILVER', '', '');
delete from coins.last_resort_coin;
select results_eq(
    format(
        $$select pg_temp.short(
            array[(%1$L, 'GOLD', 3, false), (%1$L, 'SILVER', 1, false)]::coins.claim_wish[]
        )$$,
        :carol
    ),
    array['ca GOLD 0 of 3, wait : ', 'ca SILVER 0 of 1, wait : silver'],
    'an element that finds nothing takes none of the quota from the elements after it'
);
set local role aqm_device;
select throws_ok(
    format($$select * from coins.make_outcomes(%L, '{}')$$, :alice),
    '42501', 'permission denied for function make_outcomes',
    'a device claims through claim_many() only'
);

select * from finish();
rollback;
