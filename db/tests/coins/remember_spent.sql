begin;
select plan(8);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set carol '''ca401000-0000-4000-8000-000000000000'''

select lives_ok(
    format($$select coins.remember_spent(%L, '{1,2}')$$, :bob),
    'the first spent coin of a month makes its partition'
);
select lives_ok(
    format($$select coins.remember_spent(%L, '{2,3}')$$, :bob),
    'more coins may follow in the same month'
);
select lives_ok(
    format($$select coins.remember_spent(%L, '{4}')$$, :carol),
    'another user''s coins may follow'
);
select results_eq(
    'select user_id, month, digests from coins.spent_coin order by user_id',
    format(
        $$values
        (%L::uuid, date_trunc('month', now())::date, '{1,2,2,3}'::bigint[]),
        (%L, date_trunc('month', now())::date, '{4}')$$,
        :bob, :carol
    ),
    'nothing that was remembered before is forgotten, and each user has one row a month'
);

select is(
    coins.upload_coins(:bob, array[('k', 'BRONZE', repeat('p', 32), repeat('s', 64))]::coins.coin_upload[]), 1,
    'a coin that is not remembered may be uploaded'
);
select lives_ok(
    format($$select coins.remember_spent(%L, coins.digests(array['n']::bytea[]))$$, :bob),
    'a name alone may be remembered'
);
select is(
    coins.upload_coins(:bob, array[('n', 'BRONZE', repeat('q', 32), repeat('s', 64))]::coins.coin_upload[]), 0,
    'the name of a spent coin is refused when it is uploaded again'
);
select is(
    coins.upload_coins(:carol, array[('n', 'BRONZE', repeat('q', 32), repeat('s', 64))]::coins.coin_upload[]), 1,
    'what one user has spent is free for another'
);

select * from finish();
rollback;
