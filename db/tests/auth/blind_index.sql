begin;
select plan(6);

do $$ begin
    perform set_config('aqm.encryption_keys', format('1:%s,2:%s', repeat('e1', 32), repeat('e2', 32)), true);
    perform set_config('aqm.index_keys', format('1:%s,2:%s', repeat('11', 32), repeat('22', 32)), true);
end $$;
select is(
    auth.blind_index('bob@example.com', 1),
    '\x906b6429c06becee1e10492f7d2983bfbbecf5bd6447eea80f36d98da030e5e4'::bytea,
    'a value is found by its HMAC-SHA-256 with the index key'
);
select is(
    auth.blind_index('bob@example.com', 2),
    '\xf711a514d5d3111394bfd5a484033034b8360b0e3c973c10adb8122ffcc557a2'::bytea,
    'another version of the key gives another hash'
);
select isnt(
    auth.blind_index('bob@example.com', 1), sha256('bob@example.com'),
    'a dictionary of addresses is of no use without the key'
);
select isnt(
    auth.blind_index('bob@example.com', 1), auth.blind_index('eve@example.com', 1),
    'another value has another hash'
);
select is(auth.blind_index(null, 1), null, 'what is not told has no hash');
select throws_ok(
    $$select auth.blind_index('bob@example.com', 3)$$, 'PT503', 'the index key 3 is missing',
    'without the key there is no hash'
);

select * from finish();
rollback;
