begin;
select plan(6);

\set bob '''0x00000000000000000000000000000000000000b1'''
insert into escrow.user_profiles (
    wallet, display_name, public_key, total_trades, total_as_buyer, total_as_seller, rating_count, rating_sum,
    reputation_sum
)
values (:bob, 'Bob', encode(decode(repeat('b1', 32), 'hex'), 'base64'), 12, 5, 7, 3, 13, 12.5);

set local role aqm_anon;
select results_eq(
    format('select * from escrow.find_profile(%L)', :bob),
    format(
        $$values (%L, 'Bob'::text, decode(repeat('b1', 32), 'hex'), 12.50::numeric, 12, 5, 7, 4.33::numeric,
        'standard'::escrow.user_tier, false, now())$$, :bob
    ),
    'anybody sees who somebody is'
);
select is_empty(
    $$select escrow.find_profile('0x00000000000000000000000000000000000000f1')$$, 'nobody has no profile'
);
select is_empty('select escrow.find_profile(null)', 'nor has null');
set local role aqm_wallet;
select lives_ok(format('select escrow.find_profile(%L)', :bob), 'a wallet sees others');
set local role aqm_admin;
select lives_ok(format('select escrow.find_profile(%L)', :bob), 'an administrator too');
reset role;
insert into escrow.blacklist (wallet, reason) values (:bob, 'scam');
select ok((select u.is_blacklisted from escrow.find_profile(:bob) as u), 'that somebody is blacklisted is shown');

select * from finish();
rollback;
