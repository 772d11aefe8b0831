begin;
select plan(31);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set carol '''ca401000-0000-4000-8000-000000000000'''
\set dave '''dafe0000-0000-4000-8000-000000000000'''

insert into coins.coin_inventory (user_id, key_id, coin_category, public_key_blob, signature_blob)
select
    owner.user_id::uuid as user_id,
    owner.name || number as key_id,
    'BRONZE' as coin_category,
    convert_to('public key of ' || owner.name || number, 'UTF8') as public_key_blob,
    convert_to('signature of ' || owner.name || number, 'UTF8') as signature_blob
from (values (:bob, 'b'), (:carol, 'c')) as owner (user_id, name)
cross join generate_series(1, 9) as number;
insert into coins.last_resort_coin (user_id, coin_category, key_id, public_key_blob, signature_blob)
values (:dave, 'BRONZE', 'last', 'public key of last', 'signature of last');

-- What a sender wants, written as 'b2 c1!': two coins of bob, one of carol or her last resort.
create function pg_temp.wishes(p_words text)
returns coins.claim_wish[]
language plpgsql
immutable
as $$
begin
    return array(
        select
            (
                case left(w.word, 1)
                    when 'b' then 'b0b00000-0000-4000-8000-000000000000'
                    when 'c' then 'ca401000-0000-4000-8000-000000000000'
                    when 'd' then 'dafe0000-0000-4000-8000-000000000000'
                end,
                'BRONZE', substring(w.word from '[0-9]+'), w.word like '%!'
            )::coins.claim_wish
        from string_to_table(p_words, ' ') with ordinality as w (word, place)
        order by w.place
    );
end
$$;

-- What a sender gets, in short, an element a line; * marks a last resort.
create function pg_temp.claim(
    p_words text,
    p_request_id uuid default null,
    p_requester_id uuid default 'a11ce000-0000-4000-8000-000000000000'
)
returns setof text
language plpgsql
as $$
begin
    return query
    select
        format(
            '%s of %s, %s left%s', coalesce((
                select string_agg(c.key_id || case when c.last_resort then '*' else '' end, ' ' order by c.place)
                from unnest(o.coins) with ordinality
                as c (key_id, coin_category, public_key_blob, signature_blob, last_resort, place)
            ), 'none'), o.requested, o.remaining, ', wait ' || o.retry_after
        )
    from coins.claim_many(p_requester_id, pg_temp.wishes(p_words), p_request_id)
    with ordinality as o (target_user_id, coin_category, requested, remaining, retry_after, coins, place)
    order by o.place;
end
$$;

select
    throws_ok(
        format('select * from coins.claim_many(%s)', bad.arguments), '22023', bad.message, bad.description
    )
from (
    values
    ($$null, pg_temp.wishes('b1')$$, 'requester_id must not be null', 'a claim needs a sender'),
    (format('%L, null', :alice), 'claims must not be null', 'a claim needs a list'),
    (format($$%L, '{}'$$, :alice), 'claims must have 1 to 100 elements', 'a claim needs an element'),
    (
        format($$%L, pg_temp.wishes('b1 x1')$$, :alice), 'claims[1].target_user_id must not be null',
        'a bad element is named'
    ),
    (
        format($$%L, pg_temp.wishes('b1 c101')$$, :alice), 'claims[1].count must be between 1 and 100',
        'an element may ask for 100 coins'
    )
) as bad (arguments, message, description);
select is_empty(
    'select key_id from coins.coin_inventory where fetched_by is not null', 'one bad element, and nobody gets a coin'
);

select results_eq(
    format(
        $$select o.target_user_id, o.coin_category, o.requested, o.remaining, o.retry_after, c.*
        from coins.claim_many(%L, pg_temp.wishes('c1 b1')) as o cross join unnest(o.coins) as c$$,
        :alice
    ),
    format(
        $$values
        (%1$L::uuid, 'BRONZE', 1, 8, null::integer,
        'c1', 'BRONZE', 'public key of c1'::bytea, 'signature of c1'::bytea, false),
        (%2$L, 'BRONZE', 1, 8, null, 'b1', 'BRONZE', 'public key of b1', 'signature of b1', false)$$,
        :carol, :bob
    ),
    'a sender receives an outcome an element, in their order, with coins byte for byte'
);
select results_eq(
    $$select pg_temp.claim('b2 c3 b1')$$,
    array['b2 b3 of 2, 5 left', 'c2 c3 c4 of 3, 5 left', 'b4 of 1, 5 left'],
    'a recipient may be there twice: each element receives coins of its own, and both say what is left after all'
);
select results_eq(
    'select count(*), count(distinct fetched_by), min(fetched_by::text) from coins.coin_inventory
    where fetched_by is not null',
    format('values (8::bigint, 1::bigint, %L)', :alice),
    'every coin that was given is the sender''s'
);
select is_empty('select * from coins.claim_request', 'without a request id nothing is remembered');

-- Request ids.
\set id '''1d000000-0000-4000-8000-000000000001'''
select results_eq(
    format($$select pg_temp.claim('b1 d2! c2 b1', %L)$$, :id),
    array['b5 of 1, 3 left', 'last* of 2, 0 left', 'c5 c6 of 2, 3 left', 'b6 of 1, 3 left'],
    'a claim may carry a request id; a recipient without coins gives the last resort to who accepts it'
);
select results_eq(
    $$select pg_temp.claim('c1')$$, array['c7 of 1, 2 left'], 'other claims may come between'
);
select results_eq(
    format($$select pg_temp.claim('b1 d2! c2 b1', %L)$$, :id),
    array['b5 of 1, 3 left', 'last* of 2, 0 left', 'c5 c6 of 2, 3 left', 'b6 of 1, 3 left'],
    'a retry with its id gets the same answer again, with what was left then'
);
select is(
    (
        select count(*) from coins.coin_inventory
        where fetched_by is null
    ), 5::bigint,
    'and takes nothing'
);
select
    throws_ok(
        format('select pg_temp.claim(%s)', other.arguments), 'PT422', 'this request id was used for another claim',
        other.description
    )
from (
    values
    (format($$'b1 d2! c2', %L$$, :id), 'the id is refused with an element less'),
    (format($$'d2! b1 c2 b1', %L$$, :id), 'the id is refused with the elements in another order'),
    (format($$'b1 d2 c2 b1', %L$$, :id), 'the id is refused when a last resort is no longer accepted')
) as other (arguments, description);
select throws_ok(
    format($$select * from coins.claim_coins(%L, %L, 'BRONZE', 1, %L)$$, :bob, :alice, :id),
    'PT422', 'this request id was used for another claim',
    'an id of many is not one of claim_coins()'
);
select results_eq(
    format($$select pg_temp.claim('b1', %L, %L)$$, :id, :dave), array['b7 of 1, 2 left'],
    'another sender may use the same id and gets other coins'
);
select results_eq(
    $$select pg_temp.claim('d1 d1', '1d000000-0000-4000-8000-000000000002')$$,
    array['none of 1, 0 left', 'none of 1, 0 left'],
    'no coins are no error'
);
insert into coins.coin_inventory (user_id, key_id, coin_category, public_key_blob, signature_blob)
values (:dave, 'd1', 'BRONZE', '', '');
select results_eq(
    $$select pg_temp.claim('d1 d1', '1d000000-0000-4000-8000-000000000002')$$,
    array['d1 of 1, 0 left', 'none of 1, 0 left'],
    'and are not remembered: a retry gets coins once there are some'
);
update coins.last_resort_coin
set key_id = 'next'
where user_id = :dave;
select throws_ok(
    format($$select pg_temp.claim('b1 d2! c2 b1', %L)$$, :id), 'PT410', 'the coins of this request are deleted',
    'a retry after the last-resort coin was replaced is told so'
);
update coins.last_resort_coin
set key_id = 'last'
where user_id = :dave;
delete from coins.coin_inventory
where key_id = 'c6';
select throws_ok(
    format($$select pg_temp.claim('b1 d2! c2 b1', %L)$$, :id), 'PT410', 'the coins of this request are deleted',
    'a retry after the hard delete is told so and never gets new coins'
);

-- Quotas. Of bob b8 and b9 are left, of carol c8 and c9; a coin comes back every 20 seconds.
select throws_ok(
    $$select pg_temp.claim('b100 b1 c100 c100 c100 c100 c100 c100 c100 c100 c100')$$,
    '22023', 'claims must ask for at most 1000 coins in all',
    'nobody asks for more than 1000 coins at once'
);
update coins.claim_quota
set is_enabled = true, coins = 1, period = interval '20 seconds'
where scope = 'pair';
select results_eq(
    $$select pg_temp.claim('b2 c1 b1', '1d000000-0000-4000-8000-000000000003')$$,
    array['b8 of 2, 1 left', 'c8 of 1, 1 left', 'none of 1, 1 left, wait 20'],
    'a quota gives what it has, and says when there is more to an element that it gave nothing'
);
select throws_ok(
    $$select pg_temp.claim('b1 c1')$$, 'PT429', 'the quota of coins for these recipients is used up',
    'a claim that receives nothing at all because of quotas is refused'
);
select results_eq(
    $$select pg_temp.claim('b2 c1 b1', '1d000000-0000-4000-8000-000000000003')$$,
    array['b8 of 2, 1 left', 'c8 of 1, 1 left', 'none of 1, 1 left, wait 20'],
    'a retry is no new claim: it is answered however the quota stands'
);
select results_eq(
    $$select pg_temp.claim('b1 d1!')$$, array['none of 1, 1 left, wait 20', 'last* of 1, 0 left'],
    'a last resort is given whatever the quota says'
);

create function pg_temp.wait_of_refused_claim(p_words text)
returns text
language plpgsql
as $$
declare
    v_detail text;
begin
    perform pg_temp.claim(p_words);
    return 'not refused';
exception
    when sqlstate 'PT429' then
        get stacked diagnostics v_detail = pg_exception_detail;
        return v_detail;
end
$$;
update coins.quota_use
set full_at = full_at - interval '5 seconds'
where target_user_id = :carol;
select is(
    pg_temp.wait_of_refused_claim('b1 c1'), 'Retry-After: 15', 'a refused sender is told when the first coin comes back'
);

set local role aqm_device;
select lives_ok(
    format(
        $$select * from coins.claim_many(%L, array[row(%L, 'GOLD', 1, false)::coins.claim_wish])$$, :dave, :bob
    ),
    'a device may claim'
);
set local role aqm_anon;
select throws_ok(
    format($$select * from coins.claim_many(%L, '{}')$$, :alice),
    '42501', 'permission denied for function claim_many',
    'nobody claims without a token'
);

select * from finish();
rollback;
