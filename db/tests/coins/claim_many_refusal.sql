begin;
select plan(20);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''

create function pg_temp.wish(
    p_target_user_id uuid default 'b0b00000-0000-4000-8000-000000000000',
    p_coin_category text default 'BRONZE',
    p_count integer default 1,
    p_accept_last_resort boolean default false
)
returns coins.claim_wish
language sql
immutable
return (p_target_user_id, p_coin_category, p_count, p_accept_last_resort);

select is(
    coins.claim_many_refusal(:alice, array[pg_temp.wish(), pg_temp.wish(p_coin_category => 'GOLD', p_count => 100)]),
    null,
    'a claim of many is served'
);
select is(
    coins.claim_many_refusal(:alice, array[pg_temp.wish(), pg_temp.wish()]), null,
    'a recipient may be there twice'
);
select is(
    coins.claim_many_refusal(:bob, array[pg_temp.wish(p_accept_last_resort => null)]), null,
    'a sender need not say whether a last-resort coin will do, and may be the recipient'
);
select is(
    coins.claim_many_refusal(:alice, array_fill(pg_temp.wish(p_count => 10), array[100])), null,
    '100 elements and 1000 coins are served'
);
select is(
    coins.claim_many_refusal(:alice, array_fill(pg_temp.wish(p_count => 100), array[10])), null,
    'and so are 10 times 100 coins'
);

select is(coins.claim_many_refusal(bad.requester_id::uuid, bad.claims), bad.message, bad.description)
from (
    values
    (null, array[pg_temp.wish()], 'requester_id must not be null', 'a claim needs a sender'),
    (:alice, null, 'claims must not be null', 'a claim needs a list'),
    (:alice, '{}', 'claims must have 1 to 100 elements', 'an empty list is refused'),
    (
        :alice, array_fill(pg_temp.wish(), array[101]), 'claims must have 1 to 100 elements',
        'a list of 101 elements is refused'
    ),
    (
        :alice, array[pg_temp.wish(), pg_temp.wish(null)], 'claims[1].target_user_id must not be null',
        'an element needs a recipient'
    ),
    (
        :alice, array[null]::coins.claim_wish[], 'claims[0].target_user_id must not be null',
        'an element must not be null'
    ),
    (
        :alice, array[pg_temp.wish(), pg_temp.wish(p_coin_category => null)],
        'claims[1].coin_category must be one of BRONZE, GOLD, SILVER', 'an element needs a category'
    ),
    (
        :alice, array[pg_temp.wish(p_coin_category => 'gold')],
        'claims[0].coin_category must be one of BRONZE, GOLD, SILVER', 'a category in lower case is unknown'
    ),
    (
        :alice, array[pg_temp.wish(p_count => 0)], 'claims[0].count must be between 1 and 100',
        'an element can''t ask for no coins'
    ),
    (
        :alice, array[pg_temp.wish(p_count => 101)], 'claims[0].count must be between 1 and 100',
        'an element can''t ask for more than 100 coins'
    ),
    (
        :alice, array[pg_temp.wish(p_count => null)], 'claims[0].count must be between 1 and 100',
        'an element must say how many'
    ),
    (
        :alice, array[pg_temp.wish(), pg_temp.wish(p_count => -1), pg_temp.wish(null)],
        'claims[1].count must be between 1 and 100', 'of two bad elements the first is named'
    ),
    (
        :alice, array_fill(pg_temp.wish(p_count => 100), array[10]) || pg_temp.wish(),
        'claims must ask for at most 1000 coins in all', '1001 coins in all are refused'
    ),
    (
        :alice, array_fill(pg_temp.wish(p_count => 100), array[11]) || pg_temp.wish(null),
        'claims[11].target_user_id must not be null', 'a bad element is named before the sum is'
    ),
    (
        :alice, array_fill(pg_temp.wish(p_count => 2147483647), array[2]),
        'claims[0].count must be between 1 and 100', 'counts that no sum could hold are refused as any'
    )
) as bad (requester_id, claims, message, description);

select * from finish();
rollback;
