begin;
select plan(8);

\set bob '''0x00000000000000000000000000000000000000b1'''
\set eve '''0x00000000000000000000000000000000000000E1'''
insert into escrow.user_profiles (wallet, public_key) values (:bob, 'cHVi'), (:eve, 'cHVi');
insert into escrow.blacklist (wallet, reason) values (:bob, 'scam'), (lower(:eve), 'scam');

set local "request.claims" = '{"sub": "ad000000-0000-4000-8000-000000000000", "role": "admin"}';
set local role aqm_admin;
select lives_ok(format('select escrow.clear_wallet(%L)', :bob), 'an administrator lets somebody in again');
reset role;
select results_eq(
    'select wallet::text, is_blacklisted from escrow.user_profiles order by lower(wallet)',
    format('values (%L, false), (%L, true)', :bob, :eve), 'and nobody else'
);
select lives_ok(format('select escrow.clear_wallet(%L)', :eve), 'also who stands there in lower case');
select is_empty('select 1 from escrow.user_profiles where is_blacklisted', 'then nobody is left');
insert into escrow.blacklist (wallet, reason) values ('0x' || upper(substr(:eve, 3)), 'scam');
select lives_ok(format('select escrow.clear_wallet(%L)', :eve), 'or in capitals');
select throws_ok(
    format('select escrow.clear_wallet(%L)', :bob), 'PT404', 'wallet is not blacklisted', 'nobody is let in twice'
);
select results_eq(
    'select action, actor, detail from auth.audit_logs order by id',
    format(
        $$select 'wallet.cleared', 'ad000000-0000-4000-8000-000000000000', jsonb_build_object('wallet', w.wallet)
        from (values (1, %L), (2, %L), (3, %L)) as w (place, wallet) order by w.place$$, :bob, :eve, :eve
    ), 'the audit names the administrator of the token'
);
set local role aqm_wallet;
select throws_ok(
    format('select escrow.clear_wallet(%L)', :bob), '42501', 'permission denied for function clear_wallet',
    'a wallet lets nobody in'
);

select * from finish();
rollback;
