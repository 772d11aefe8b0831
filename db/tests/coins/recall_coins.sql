begin;
select plan(10);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set carol '''ca401000-0000-4000-8000-000000000000'''

insert into coins.coin_inventory (
    user_id, key_id, coin_category, public_key_blob, signature_blob, fetched_by, fetched_at
)
values
(:bob, 'a', 'BRONZE', 'public key of a', 'signature of a', :alice, now()),
(:bob, 'b', 'GOLD', 'public key of b', 'signature of b', :alice, now() - interval '1 hour'),
(:bob, 'of carol', 'BRONZE', 'p', '', :carol, now()),
(:bob, 'unclaimed', 'BRONZE', 'q', '', null, null),
(:carol, 'a', 'BRONZE', 'public key of carol', '', :alice, now());

select results_eq(
    format($$select * from coins.recall_coins(%L, %L, '{b,a}')$$, :bob, :alice),
    $$values
    (null, null, 'b', 'GOLD', 'public key of b'::bytea, 'signature of b'::bytea),
    (null, null, 'a', 'BRONZE', 'public key of a', 'signature of a')$$,
    'a sender gets its coins again, byte for byte, in the order of the first answer'
);
select results_eq(
    format($$select key_id from coins.recall_coins(%L, %L, '{a,b}')$$, :bob, :alice),
    array['a', 'b'],
    'whatever that order was'
);
select results_eq(
    format($$select key_id, public_key_blob from coins.recall_coins(%L, %L, '{a}')$$, :carol, :alice),
    $$values ('a', 'public key of carol'::bytea)$$,
    'a coin of the same name of another recipient is another coin'
);
select
    results_eq(
        format($$select * from coins.recall_coins(%L, %L, %L)$$, :bob, :alice, gone.key_ids),
        $$values (
        'PT410', 'the coins of this request are deleted', null::text, null::text, null::bytea, null::bytea
    )$$,
        gone.description
    )
from (
    values
    ('{gone}', 'a sender is told when its coin is hard-deleted'),
    ('{a,gone,b}', 'a sender never gets a part of its coins'),
    ('{a,of carol}', 'a sender never gets a coin that another has claimed'),
    ('{unclaimed}', 'a sender never gets an unclaimed coin by name')
) as gone (key_ids, description);
select is_empty(
    format($$select * from coins.recall_coins(%L, %L, '{}')$$, :bob, :alice),
    'an entry that was given no coins has none'
);
select is_empty(
    format($$select * from coins.recall_coins(%L, %L, null)$$, :bob, :alice),
    'no list, no coins'
);
set local role aqm_device;
select throws_ok(
    format($$select * from coins.recall_coins(%L, %L, '{a}')$$, :bob, :alice),
    '42501', 'permission denied for function recall_coins',
    'a device recalls coins by its request id only'
);

select * from finish();
rollback;
