begin;
select plan(39);

-- A coin with blobs of so many bytes; null: without the blob.
create function pg_temp.coin(
    p_key_id text, p_coin_category text, p_public_key_bytes integer, p_signature_bytes integer
)
returns coins.coin_upload
language sql
immutable
return (p_key_id, p_coin_category, rpad('', p_public_key_bytes, 'p')::bytea, rpad('', p_signature_bytes, 's')::bytea);

select is_empty(
    $$select * from coins.upload_refusal('{}')$$,
    'an upload of nothing is not refused'
);
select is_empty(
    $$select * from coins.upload_refusal(array[
        pg_temp.coin('g', 'GOLD', 1184, 2420), pg_temp.coin('s', 'SILVER', 1184, 64),
        pg_temp.coin('b', 'BRONZE', 32, 64)
    ])$$,
    'coins of all three categories in their exact sizes are not refused'
);
select
    is_empty(
        format(
            $$select * from coins.upload_refusal(array[pg_temp.coin(%L, 'BRONZE', 32, 64)])$$, fine.key_id
        ),
        format('a key_id of %s characters is not refused', length(fine.key_id))
    )
from (values ('k'), (repeat('k', 36)), (repeat('ü', 36))) as fine (key_id);

select
    is(
        (
            select refusal.error_code || ' ' || refusal.error_message
            from coins.upload_refusal(
                array[pg_temp.coin(bad.key_id, bad.coin_category, bad.public_key_bytes, bad.signature_bytes)]
            ) as refusal
        ),
        bad.refusal,
        bad.description
    )
from (
    values
    (null, 'GOLD', 1184, 2420, '22023 coins[0].key_id must not be empty', 'a coin needs a key_id'),
    ('', 'GOLD', 1184, 2420, '22023 coins[0].key_id must not be empty', 'a key_id of 0 characters is refused'),
    (
        repeat('k', 37), 'GOLD', 1184, 2420, '22023 coins[0].key_id must have at most 36 characters',
        'a key_id of 37 characters is refused'
    ),
    (
        'k', null, 1184, 2420, '22023 coins[0].coin_category must be one of BRONZE, GOLD, SILVER',
        'a coin needs a category'
    ),
    (
        'k', '', 1184, 2420, '22023 coins[0].coin_category must be one of BRONZE, GOLD, SILVER',
        'the empty category is unknown'
    ),
    (
        'k', 'gold', 1184, 2420, '22023 coins[0].coin_category must be one of BRONZE, GOLD, SILVER',
        'a category in lower case is unknown'
    ),
    (
        'k', 'PLATINUM', 1184, 2420, '22023 coins[0].coin_category must be one of BRONZE, GOLD, SILVER',
        'a device with a category of its own is told the known ones'
    ),
    (
        'k', 'GOLD', null, 2420, '22023 coins[0].public_key must have 1184 bytes for GOLD',
        'a GOLD coin needs a public key'
    ),
    ('k', 'GOLD', 0, 2420, '22023 coins[0].public_key must have 1184 bytes for GOLD', 'an empty public key is refused'),
    (
        'k', 'GOLD', 1183, 2420, '22023 coins[0].public_key must have 1184 bytes for GOLD',
        'a GOLD public key one byte short is refused'
    ),
    (
        'k', 'GOLD', 32, 2420, '22023 coins[0].public_key must have 1184 bytes for GOLD',
        'a GOLD coin with the public key of a BRONZE one is refused'
    ),
    (
        'k', 'GOLD', 1185, 2420, 'PT413 coins[0].public_key is larger than the 1184 bytes that any category allows',
        'a GOLD public key one byte long is too large for any category'
    ),
    (
        'k', 'GOLD', 1184, null, '22023 coins[0].signature must have 2420 bytes for GOLD',
        'a GOLD coin needs a signature'
    ),
    ('k', 'GOLD', 1184, 0, '22023 coins[0].signature must have 2420 bytes for GOLD', 'an empty signature is refused'),
    (
        'k', 'GOLD', 1184, 2419, '22023 coins[0].signature must have 2420 bytes for GOLD',
        'a GOLD signature one byte short is refused'
    ),
    (
        'k', 'GOLD', 1184, 2421, 'PT413 coins[0].signature is larger than the 2420 bytes that any category allows',
        'a GOLD signature one byte long is too large for any category'
    ),
    (
        'k', 'SILVER', 1183, 64, '22023 coins[0].public_key must have 1184 bytes for SILVER',
        'a SILVER public key one byte short is refused'
    ),
    (
        'k', 'SILVER', 1185, 64, 'PT413 coins[0].public_key is larger than the 1184 bytes that any category allows',
        'a SILVER public key one byte long is too large for any category'
    ),
    (
        'k', 'SILVER', 1184, 63, '22023 coins[0].signature must have 64 bytes for SILVER',
        'a SILVER signature one byte short is refused'
    ),
    (
        'k', 'SILVER', 1184, 65, '22023 coins[0].signature must have 64 bytes for SILVER',
        'a SILVER signature one byte long is refused'
    ),
    (
        'k', 'SILVER', 1184, 2421, 'PT413 coins[0].signature is larger than the 2420 bytes that any category allows',
        'a SILVER signature longer than a GOLD one is too large for any category'
    ),
    (
        'k', 'BRONZE', 31, 64, '22023 coins[0].public_key must have 32 bytes for BRONZE',
        'a BRONZE public key one byte short is refused'
    ),
    (
        'k', 'BRONZE', 33, 64, '22023 coins[0].public_key must have 32 bytes for BRONZE',
        'a BRONZE public key one byte long is refused'
    ),
    (
        'k', 'BRONZE', 32, 63, '22023 coins[0].signature must have 64 bytes for BRONZE',
        'a BRONZE signature one byte short is refused'
    ),
    (
        'k', 'BRONZE', 32, 65, '22023 coins[0].signature must have 64 bytes for BRONZE',
        'a BRONZE signature one byte long is refused'
    ),
    (
        'k', 'BRONZE', null, 2421, 'PT413 coins[0].signature is larger than the 2420 bytes that any category allows',
        'a signature is too large even where the public key is missing'
    ),
    (
        'k', 'COPPER', 1185, 64, 'PT413 coins[0].public_key is larger than the 1184 bytes that any category allows',
        'a public key is too large even where the category is unknown'
    )
) as bad (key_id, coin_category, public_key_bytes, signature_bytes, refusal, description);

select results_eq(
    $$select error_code, error_message from coins.upload_refusal(array[
        pg_temp.coin('a', 'BRONZE', 32, 64), null, pg_temp.coin('', 'BRONZE', 32, 64)
    ])$$,
    $$values ('22023', 'coins[1].key_id must not be empty')$$,
    'a null among the coins is refused, and the first bad coin is the one that is named'
);
select results_eq(
    $$select error_code, error_message from coins.upload_refusal(array[
        pg_temp.coin('a', 'BRONZE', 32, 64), pg_temp.coin('b', 'GOLD', 1185, 2420), pg_temp.coin('', 'BRONZE', 32, 64)
    ])$$,
    $$values ('PT413', 'coins[1].public_key is larger than the 1184 bytes that any category allows')$$,
    'a coin that is too large is named when it comes first'
);
select results_eq(
    $$select error_code, error_message from coins.upload_refusal(array[
        pg_temp.coin('', 'BRONZE', 32, 64), pg_temp.coin('b', 'GOLD', 1185, 2420)
    ])$$,
    $$values ('22023', 'coins[0].key_id must not be empty')$$,
    'and not when another does'
);
select results_eq(
    $$select error_message from coins.upload_refusal(
        array_fill(pg_temp.coin('a', 'BRONZE', 32, 64), array[999]) || pg_temp.coin('z', 'BRONZE', 32, 0)
    )$$,
    array['coins[999].signature must have 64 bytes for BRONZE'],
    'the last of 1000 coins is looked at as well'
);

insert into coins.coin_category (name, public_key_bytes, signature_bytes) values ('COPPER', 3, 3000);
select is_empty(
    $$select * from coins.upload_refusal(array[
        pg_temp.coin('c', 'COPPER', 3, 3000), pg_temp.coin('b', 'BRONZE', 32, 64)
    ])$$,
    'a new row is a new category with sizes of its own'
);
select results_eq(
    $$select error_code from coins.upload_refusal(array[pg_temp.coin('g', 'GOLD', 1184, 2421)])$$,
    array['22023'],
    'too large is what is larger than the largest category'
);

set local role aqm_device;
select throws_ok(
    $$select * from coins.upload_refusal('{}')$$,
    '42501', 'permission denied for function upload_refusal',
    'a device can''t call the rule without an upload'
);

select * from finish();
rollback;
