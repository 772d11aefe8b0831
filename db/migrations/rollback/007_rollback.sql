drop type coins.claim_outcome;
drop type coins.given_coin;
drop type coins.claim_wish;
drop domain coins.last_resort_accepted;
drop domain coins.coins_wanted;
drop table coins.last_resort_coin;
