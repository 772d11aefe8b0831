begin;
select plan(3);

insert into escrow.event_sync_cursor (chain, contract, last_block) values ('bsc', '0xcc', 7);
set local role aqm_worker;
select results_eq(
    $$select chain::text, contract, last_block, updated_at from escrow.find_chain_cursor('bsc')$$,
    $$values ('bsc', '0xcc', 7::bigint, now())$$, 'who follows a chain learns where to go on'
);
select is_empty($$select escrow.find_chain_cursor('base')$$, 'a chain of which nothing has come has no cursor');
set local role aqm_wallet;
select throws_ok($$select escrow.find_chain_cursor('bsc')$$, '42501', null, 'nobody else is told');
reset role;

select * from finish();
rollback;
