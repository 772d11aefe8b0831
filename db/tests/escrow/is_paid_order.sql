begin;
select plan(6);

insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload) values
('bsc', 7, 0, 'c', 'created', 1, '{"buyer": "0xAB", "seller": "0xCD"}'),
('bsc', 8, 0, 'c', 'created', 2, '{"buyer": "0xab"}');
select ok(escrow.is_paid_order('bsc', 1, '0xaB', '0xcd'), 'who the contract names have an order there');
select ok(not escrow.is_paid_order('bsc', 1, '0xef', '0xcd'), 'another buyer has none');
select ok(not escrow.is_paid_order('bsc', 1, '0xab', '0xef'), 'nor has one with another seller');
select ok(not escrow.is_paid_order('bsc', 2, '0xab', '0xcd'), 'who is not named is not known');
select ok(not escrow.is_paid_order('bsc', 3, '0xab', '0xcd'), 'nor is anybody before the event has come');
select ok(not escrow.is_paid_order('base', 1, '0xab', '0xcd'), 'chains count their orders by themselves');

select * from finish();
rollback;
