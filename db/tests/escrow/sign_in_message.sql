begin;
select plan(2);

update escrow.site set domain = 'market.example.org', uri = 'https://market.example.org/app', chain_id = 56;
select is(
    escrow.sign_in_message('0x00000000000000000000000000000000000000b1', 'abc12345', '2026-01-31 12:00:00+02'),
    'market.example.org wants you to sign in with your Ethereum account:
0x00000000000000000000000000000000000000b1

This proves that the wallet is yours. It is no transaction and costs nothing.

URI: https://market.example.org/app
Version: 1
Chain ID: 56
Nonce: abc12345
Issued At: 2026-01-31T09:50:00Z
Expiration Time: 2026-01-31T10:00:00Z',
    'the text says for which site, by whom, and until when it is good, in UTC'
);
set local timezone = 'Asia/Kolkata';
select ok(
    escrow.sign_in_message('0x', 'abc12345', '2026-01-31 12:00:00+02') like '%Expiration Time: 2026-01-31T10:00:00Z',
    'it is the same in every time zone'
);

select * from finish();
rollback;
