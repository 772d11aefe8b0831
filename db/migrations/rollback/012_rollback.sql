set local role aqm_coins_owner;

alter table coins.coin_inventory reset (autovacuum_vacuum_cost_limit);
