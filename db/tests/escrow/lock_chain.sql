begin;
select plan(1);

select escrow.lock_chain('bsc');
select escrow.lock_chain('bsc');
select escrow.lock_chain('base');
select is(
    (
        select count(*)::integer from pg_locks as l
        where l.locktype = 'advisory' and l.pid = pg_backend_pid()
    ), 2,
    'each chain is locked once, until the transaction ends'
);

select * from finish();
rollback;
