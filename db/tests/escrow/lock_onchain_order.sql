begin;
select plan(3);

create view pg_temp.held as
select count(*) as locks from pg_locks as l
where l.locktype = 'advisory' and l.pid = pg_backend_pid();
select escrow.lock_onchain_order('bsc', 7);
select is((select h.locks from pg_temp.held as h), 1::bigint, 'whoever asks holds the lock');
select escrow.lock_onchain_order('bsc', 7);
select is((select h.locks from pg_temp.held as h), 1::bigint, 'once, however often');
select escrow.lock_onchain_order('base', 7);
select escrow.lock_onchain_order('bsc', 8);
select is((select h.locks from pg_temp.held as h), 3::bigint, 'other orders have locks of their own');

select * from finish();
rollback;
