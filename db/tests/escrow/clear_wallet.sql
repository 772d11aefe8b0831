begin;
select plan(6);

\set bob '''0x00000000000000000000000000000000000000b1'''
\set eve '''0x00000000000000000000000000000000000000E1'''
insert into escrow.user_profiles (wallet, public_key) values (:bob, 'cHVi'), (:eve, 'cHVi');
insert into escrow.blacklist (wallet, reason) values (:bob, 'scam'), (lower(:eve), 'scam');

set local role aqm_admin;
select lives_ok(format('select escrow.clear_wallet(%L)', :bob), 'an administrator lets somebody in again');
reset role;
select results_eq(
    'select wallet::text, is_blacklisted from escrow.user_profiles order by lower(wallet)',
    format('values (%L, false), (%L, true)', :bob, :eve), 'and nobody else'
);
select lives_ok(format('select escrow.clear_wallet(%L)', :eve), 'also who stands there in lower case');
select is_empty('select 1 from escrow.user_profiles where is_blacklisted', 'then nobody is left');
select throws_ok(
    format('select escrow.clear_wallet(%L)', :bob), 'PT404', 'wallet is not blacklisted', 'nobody is let in twice'
);
set local role aqm_wallet;
select throws_ok(
    format('select escrow.clear_wallet(%L)', :bob), '42501', 'permission denied for function clear_wallet',
    'a wallet lets nobody in'
);

select * from finish();
rollback;
