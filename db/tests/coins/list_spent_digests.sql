begin;
select plan(5);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set carol '''ca401000-0000-4000-8000-000000000000'''

select is_empty(
    format('select * from coins.list_spent_digests(%L)', :bob),
    'a new user has spent nothing'
);

select ok(
    coins.add_spent_month('2031-01-01') and coins.add_spent_month('2031-02-01'),
    'two months have partitions'
);
insert into coins.spent_coin (user_id, month, digests)
values (:bob, '2031-01-01', '{11,12}'), (:bob, '2031-02-01', '{21}'), (:carol, '2031-01-01', '{31}');
select set_has(
    format('select digest from coins.list_spent_digests(%L)', :bob),
    'values (11::bigint), (12), (21)',
    'spent coins may not be uploaded again, whatever month they were deleted in'
);

insert into coins.last_resort_coin (user_id, coin_category, key_id, public_key_blob, signature_blob)
values
(:bob, 'BRONZE', 'last', 'last key', ''),
(:carol, 'BRONZE', 'last of carol', 'last key of carol', '');
select set_has(
    format('select digest from coins.list_spent_digests(%L)', :bob),
    $$select unnest(coins.digests(array['last', 'last key']::bytea[]))$$,
    'the name and the public key of a last-resort coin may not be uploaded'
);
select is(
    (
        select count(*)
        from coins.list_spent_digests(:bob)
    ), 5::bigint,
    'a user''s list has nothing of another user'
);

select * from finish();
rollback;
