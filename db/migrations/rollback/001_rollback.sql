drop type coins.coin_count;
drop type coins.batch_claimed_coin;
drop type coins.claimed_coin;
drop type coins.coin_upload;
drop table coins.coin_inventory;
drop table coins.coin_category;
