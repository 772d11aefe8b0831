begin;
select plan(6);

\set bob '''0x00000000000000000000000000000000000000b1'''
\set eve '''0x00000000000000000000000000000000000000e1'''
insert into escrow.user_profiles (wallet, public_key) values (:bob, 'cHVi'), (:eve, 'cHVi');
insert into escrow.blacklist (wallet, reason)
values (:eve, 'scam'), ('0x00000000000000000000000000000000000000e2', 'scam');

select lives_ok(format($$select escrow.check_trader(%L, 'wallet')$$, :bob), 'who has a profile may trade');
select throws_ok(
    format($$select escrow.check_trader(%L, 'wallet')$$, :eve), '42501', 'wallet is blacklisted',
    'who is blacklisted may not'
);
select throws_ok(
    format($$select escrow.check_trader(%L, 'seller_wallet')$$, :eve), '42501', 'seller_wallet is blacklisted',
    'and it says which of two it is about'
);
select throws_ok(
    $$select escrow.check_trader('0x00000000000000000000000000000000000000e2', 'wallet')$$, '42501',
    'wallet is blacklisted', 'a blacklisted wallet is refused for that, with a profile or without'
);
select throws_ok(
    $$select escrow.check_trader('0x00000000000000000000000000000000000000f1', 'wallet')$$, '22023',
    'wallet has no profile', 'nobody trades without a profile'
);
select throws_ok($$select escrow.check_trader(null, 'wallet')$$, '22023', 'wallet has no profile', 'nor does null');

select * from finish();
rollback;
