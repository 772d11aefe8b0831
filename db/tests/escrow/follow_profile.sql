begin;
select plan(11);

\set bob '''0x00000000000000000000000000000000000000b1'''
insert into escrow.user_profiles (wallet, public_key, rating, tier, reputation_score, is_blacklisted)
values (:bob, 'cHVi', 5, 'trusted', 99, true);
select results_eq(
    'select rating, tier, reputation_score, is_blacklisted from escrow.user_profiles',
    $$values (null::numeric, 'new'::escrow.user_tier, 0.00, false)$$,
    'a profile does not begin with what it has not earned'
);
update escrow.user_profiles set rating = 5, tier = 'trusted', reputation_score = 99;
select results_eq(
    'select rating, tier, reputation_score, is_blacklisted from escrow.user_profiles',
    $$values (null::numeric, 'new'::escrow.user_tier, 0.00, false)$$, 'nor is it given to it by hand'
);
select throws_ok(
    'update escrow.user_profiles set is_blacklisted = true', 'PT409',
    'is_blacklisted follows from the table blacklist: call blacklist_wallet() or clear_wallet()',
    'the mark of the blacklist is told where it comes from'
);
update escrow.user_profiles set rating_count = 3, rating_sum = 14;
select is((select u.rating from escrow.user_profiles as u), 4.67, 'the rating is the mean of the reviews, rounded');
update escrow.user_profiles set total_trades = 10;
select is((select u.tier::text from escrow.user_profiles as u), 'standard', 'the tier follows the trades');
update escrow.user_profiles set total_trades = 100;
select is((select u.tier::text from escrow.user_profiles as u), 'trusted', 'and the rating');
update escrow.user_profiles set rating_sum = 11;
select is((select u.tier::text from escrow.user_profiles as u), 'standard', 'down as well as up');
update escrow.user_profiles set reputation_sum = -0.5;
select is((select u.reputation_score from escrow.user_profiles as u), -0.5, 'the score follows its sum');
update escrow.user_profiles set reputation_sum = 10000.5;
select is((select u.reputation_score from escrow.user_profiles as u), 9999.99, 'as far as it can');
update escrow.user_profiles set reputation_sum = -10000.5;
select is((select u.reputation_score from escrow.user_profiles as u), -9999.99, 'in both directions');
update escrow.user_profiles set rating_count = 0, rating_sum = 0;
select is((select u.rating from escrow.user_profiles as u), null, 'without reviews there is no rating');

select * from finish();
rollback;
