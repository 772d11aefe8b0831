begin;
select plan(6);

select is(
    coins.digests(array['abc', '']::bytea[]), array[x'ba7816bf8f01cfea'::bigint, x'e3b0c44298fc1c14'::bigint],
    'a digest is the first eight bytes of the SHA-256, most significant first, and nothing has one, too'
);
select isnt(
    coins.digests(array['abc']::bytea[]), coins.digests(array['abd']::bytea[]),
    'another key has another digest'
);
select is(
    coins.digests(array[null, 'abc']::bytea[]), array[null, x'ba7816bf8f01cfea'::bigint],
    'a missing key has none, and the others keep their places'
);
select is(
    coins.digests(array[]::bytea[]), null,
    'no keys have no digests'
);

insert into coins.coin_inventory (user_id, key_id, coin_category, public_key_blob, signature_blob)
select
    gen_random_uuid() as user_id,
    number as key_id,
    'BRONZE' as coin_category,
    decode(md5(number::text), 'hex') as public_key_blob,
    '' as signature_blob
from generate_series(1, 200) as number;
select is_empty(
    'select key_id from coins.coin_inventory where array[public_key_digest] <> coins.digests(array[public_key_blob])',
    'what the table remembers of a public key is its digest'
);
select ok(
    (
        select min(public_key_digest) < 0 and max(public_key_digest) > 0
        from coins.coin_inventory
    ),
    'a digest uses all 64 bits'
);

select * from finish();
rollback;
