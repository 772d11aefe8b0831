begin;
select plan(10);

-- The key and the thumbprint of RFC 8037, appendix A.
\set key '''\\xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'''
\set kid '''kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'''
set local role aqm_gateway;
select is(auth.register_signing_key(:kid, :key), true, 'a gateway makes its key known');
select is(auth.register_signing_key(:kid, :key), false, 'at its next start it is known already');
reset role;
select results_eq(
    'select kid, public_key, valid_from, valid_until from auth.signing_keys',
    format('values (%L, %L::bytea, now(), null::timestamptz)', :kid, :key),
    'its tokens can be checked from then on'
);
select results_eq(
    $$select action, detail ->> 'kid' from auth.audit_logs$$,
    format($$values ('signing_key.added', %L)$$, :kid),
    'a new key leaves a trace, and an old one none'
);
select throws_ok(format('select auth.register_signing_key(%s)', bad.arguments), '22023', bad.message, bad.description)
from (
    values
    (
        format($$%L, repeat('k', 32)::bytea$$, :kid), 'kid must be the thumbprint of public_key',
        'no key passes for another''s'
    ),
    (format('null, %L', :key), 'kid must be the thumbprint of public_key', 'a key has a name'),
    (
        format('%L, %L', translate(:kid, '_-', '/+'), :key), 'kid must be the thumbprint of public_key',
        'in letters that go into any address'
    ),
    (format('%L, substr(%L::bytea, 2)', :kid, :key), 'public_key must be an Ed25519 key', 'a key has 32 bytes'),
    (format('%L, null', :kid), 'public_key must be an Ed25519 key', 'and is needed')
) as bad (arguments, message, description);
set local role aqm_admin;
select throws_ok(
    format('select auth.register_signing_key(%L, %L)', :kid, :key), '42501',
    'permission denied for function register_signing_key',
    'nobody over HTTP adds a key'
);

select * from finish();
rollback;
