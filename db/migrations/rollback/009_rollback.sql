drop type coins.stock_event;
drop type coins.issued_coin;
drop type coins.inventory_status;
drop table coins.epoch;
revoke usage on schema coins from aqm_ops_owner;
