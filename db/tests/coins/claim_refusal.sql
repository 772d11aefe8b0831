begin;
select plan(20);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''

select
    is(
        coins.claim_refusal(:bob, :alice, c.coin_category, c.count), null,
        format('a claim of %s %s is served', c.count, c.coin_category)
    )
from (
    values ('GOLD', 1), ('SILVER', 1), ('BRONZE', 1), ('GOLD', 100)
) as c (coin_category, count);

select
    is(
        coins.claim_refusal(c.target::uuid, c.requester::uuid, c.coin_category, c.count), c.message, c.description
    )
from (
    values
    (null, :alice, 'GOLD', 1, 'target_user_id must not be null', 'a sender without a recipient is told so'),
    (:bob, null, 'GOLD', 1, 'requester_id must not be null', 'a claim without a sender is refused by that name'),
    (:bob, :alice, 'GOLD', 0, 'count must be between 1 and 100', 'a sender can''t ask for 0 coins'),
    (:bob, :alice, 'GOLD', -1, 'count must be between 1 and 100', 'a sender can''t ask for -1 coins'),
    (:bob, :alice, 'GOLD', 101, 'count must be between 1 and 100', 'a sender can''t ask for 101 coins'),
    (:bob, :alice, 'GOLD', 2147483647, 'count must be between 1 and 100', 'a sender can''t ask for all there are'),
    (:bob, :alice, 'GOLD', null, 'count must be between 1 and 100', 'a sender can''t leave the count open')
) as c (target, requester, coin_category, count, message, description);

select
    is(
        coins.claim_refusal(:bob, :alice, wrong.coin_category, 1),
        'coin_category must be one of BRONZE, GOLD, SILVER',
        format('a sender who asks for category %L is told the known ones', wrong.coin_category)
    )
from (
    values (null), (''), ('gold'), ('Gold'), ('GOLD '), ('COPPER'), ('GOLDGOLD')
) as wrong (coin_category);

insert into coins.coin_category (name, public_key_bytes, signature_bytes) values ('COPPER', 1, 1);
select is(
    coins.claim_refusal(:bob, :alice, 'COPPER', 1), null,
    'a new row is a new category'
);

set local role aqm_device;
select throws_ok(
    format($$select coins.claim_refusal(%L, %L, 'GOLD', 1)$$, :bob, :alice),
    '42501', 'permission denied for function claim_refusal',
    'a device can''t call the rule without a claim'
);

select * from finish();
rollback;
