begin;
select plan(6);

select is(
    coins.digest('abc'), x'ba7816bf8f01cfea'::bigint,
    'a digest is the first eight bytes of the SHA-256, most significant first'
);
select is(
    coins.digest(''), x'e3b0c44298fc1c14'::bigint,
    'nothing has a digest, too'
);
select isnt(
    coins.digest('abc'), coins.digest('abd'),
    'another key has another digest'
);
select is(
    coins.digest(null), null,
    'a missing key has none'
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
    'select key_id from coins.coin_inventory where public_key_digest <> coins.digest(public_key_blob)',
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
