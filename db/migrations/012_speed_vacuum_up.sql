set local role aqm_coins_owner;

-- What the hard delete removes must be free again before new coins have asked for more pages. At the server's default
-- (200: 40 MB/s of dirtied pages) vacuum fell behind 5,000 claims/s and the table grew without end (docs/adr/0016).
alter table coins.coin_inventory set (autovacuum_vacuum_cost_limit = 2000);
