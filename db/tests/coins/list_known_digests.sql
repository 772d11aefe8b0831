begin;
select plan(6);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set carol '''ca401000-0000-4000-8000-000000000000'''

select is_empty(
    format('select * from coins.list_known_digests(%L)', :bob),
    'a new user may upload anything'
);

insert into coins.coin_inventory (
    user_id, key_id, coin_category, public_key_blob, signature_blob, fetched_by, fetched_at
)
values
(:bob, 'unclaimed', 'GOLD', 'unclaimed key', '', null, null),
(:bob, 'claimed', 'BRONZE', 'claimed key', '', :carol, now()),
(:carol, 'of carol', 'BRONZE', 'key of carol', '', null, null);
select results_eq(
    format('select digest from coins.list_known_digests(%L) order by 1', :bob),
    $$select unnest(coins.digests(array['unclaimed key', 'claimed key']::bytea[])) order by 1$$,
    'public keys in stock, claimed or not, may not be uploaded again'
);

select ok(
    coins.add_spent_month('2031-01-01') and coins.add_spent_month('2031-02-01'),
    'two months have partitions'
);
insert into coins.spent_coin (user_id, month, digests)
values (:bob, '2031-01-01', '{11,12}'), (:bob, '2031-02-01', '{21}'), (:carol, '2031-01-01', '{31}');
select set_has(
    format('select digest from coins.list_known_digests(%L)', :bob),
    'values (11::bigint), (12), (21)',
    'spent coins may not be uploaded again, whatever month they were deleted in'
);

insert into coins.last_resort_coin (user_id, coin_category, key_id, public_key_blob, signature_blob)
values
(:bob, 'BRONZE', 'last', 'last key', ''),
(:carol, 'BRONZE', 'last of carol', 'last key of carol', '');
select set_has(
    format('select digest from coins.list_known_digests(%L)', :bob),
    $$select unnest(coins.digests(array['last', 'last key']::bytea[]))$$,
    'the name and the public key of a last-resort coin may not be uploaded'
);
select is(
    (
        select count(*)
        from coins.list_known_digests(:bob)
    ), 7::bigint,
    'a user''s list has nothing of another user'
);

select * from finish();
rollback;
