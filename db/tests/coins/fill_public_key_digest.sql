begin;
select plan(2);

\set bob '''b0b00000-0000-4000-8000-000000000000'''

insert into coins.coin_inventory (user_id, key_id, coin_category, public_key_blob, signature_blob)
values (:bob, 'by hand', 'BRONZE', 'abc', '');
select results_eq(
    'select public_key_digest from coins.coin_inventory', array[x'ba7816bf8f01cfea'::bigint],
    'who stores a coin by hand need not know of digests'
);

insert into coins.coin_inventory (
    user_id, key_id, coin_category, public_key_blob, signature_blob, public_key_digest
)
values (:bob, 'with its digest', 'BRONZE', 'abd', '', 5);
select results_eq(
    $$select public_key_digest from coins.coin_inventory where key_id = 'with its digest'$$, array[5::bigint],
    'a digest that is brought along is taken as it is'
);

select * from finish();
rollback;
