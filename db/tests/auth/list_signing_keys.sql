begin;
select plan(4);

\set now '''kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'''
select is_empty('select auth.list_signing_keys()', 'in a new database there are none');
insert into auth.signing_keys (kid, public_key, valid_from, valid_until)
values
(:now, '\xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', now(), null),
(repeat('o', 43), decode(repeat('fbffbf', 10) || 'fbff', 'hex'), now() - interval '1 day', now() + interval '1 second'),
(repeat('r', 43), repeat('r', 32)::bytea, now() - interval '2 days', now());
set local role aqm_anon;
select results_eq(
    'select * from auth.list_signing_keys()',
    format(
        $$values
        ('OKP', 'Ed25519', '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', %L, 'sig', 'EdDSA'),
        ('OKP', 'Ed25519', repeat('-_', 20) || '-_8', repeat('o', 43), 'sig', 'EdDSA')$$, :now
    ),
    'whoever checks tokens finds the keys in use and those that are going, the newest first, as RFC 8037 writes them'
);
set local role aqm_gateway;
select isnt_empty('select auth.list_signing_keys()', 'gateways do as well');
set local role aqm_device;
select throws_ok(
    'select auth.list_signing_keys()', '42501', 'permission denied for function list_signing_keys',
    'a device sees tokens and not keys'
);

select * from finish();
rollback;
