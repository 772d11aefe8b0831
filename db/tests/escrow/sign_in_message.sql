begin;
select plan(2);

select is(
    escrow.sign_in_message('0x00000000000000000000000000000000000000b1', 'abc123', '2026-01-31 12:00:00+02'),
    'AQM escrow: sign in

Signing this text proves that the wallet is yours. It is no transaction and costs nothing.

Wallet: 0x00000000000000000000000000000000000000b1
Nonce: abc123
Expires: 2026-01-31T10:00:00Z',
    'the text says what is signed, by whom, and until when it is good, in UTC'
);
set local timezone = 'Asia/Kolkata';
select ok(
    escrow.sign_in_message('0x', 'abc123', '2026-01-31 12:00:00+02') like '%Expires: 2026-01-31T10:00:00Z',
    'it is the same in every time zone'
);

select * from finish();
rollback;
