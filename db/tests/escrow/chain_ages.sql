begin;
select plan(5);

select is_empty('select * from escrow.chain_ages()', 'a chain that nobody follows has no age');
insert into escrow.event_sync_cursor (chain, contract, last_block, updated_at)
values
('base', '0x' || repeat('1', 40), 7, now()),
('bsc', '0x' || repeat('2', 40), 9, now() - interval '61.5 seconds');
set local role aqm_gateway;
select results_eq(
    'select chain, value from escrow.chain_ages()',
    $$values ('bsc', 61.5::double precision), ('base', 0)$$,
    'a gateway sees how long ago each chain was last told of'
);
set local role aqm_monitor;
select isnt_empty('select * from escrow.chain_ages()', 'monitoring may ask');
set local role aqm_wallet;
select throws_ok(
    'select * from escrow.chain_ages()', '42501', 'permission denied for function chain_ages',
    'it is nothing to people'
);
reset role;
select escrow.roll_back_chain('bsc', 8);
select results_eq(
    $$select value from escrow.chain_ages() where chain = 'bsc'$$, 'values (0::double precision)',
    'a follower that rolls back is alive'
);

select * from finish();
rollback;
