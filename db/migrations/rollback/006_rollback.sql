drop table coins.spent_coin;
alter table coins.coin_inventory drop column public_key_digest;
