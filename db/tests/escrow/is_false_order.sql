begin;
select plan(10);

insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload) values
('bsc', 7, 0, 'c', 'created', 1, '{"buyer": "0xAB", "seller": "0xCD"}'),
('bsc', 8, 0, 'c', 'completed', 1, '{"buyer": "0xEF"}'),
('bsc', 9, 0, 'c', 'created', 2, '{}'),
('bsc', 9, 1, 'c', 'created', 4, '{"amount": "0.999999"}'),
('bsc', 9, 2, 'c', 'created', 5, '{"buyer": "0xab", "amount": "1"}'),
('bsc', 9, 3, 'c', 'created', 6, '{"amount": "100", "token": "0xdeadbeef"}'),
('bsc', 9, 4, 'c', 'created', 7, '{"token": "USDC"}');
select ok(not escrow.is_false_order('bsc', 1, '0xaB', '0xcd'), 'wallets are compared without their checksum');
select ok(escrow.is_false_order('bsc', 1, '0xef', '0xcd'), 'an order of another buyer is false');
select ok(escrow.is_false_order('bsc', 1, '0xab', '0xef'), 'an order of another seller is false');
select ok(not escrow.is_false_order('bsc', 2, '0xab', '0xcd'), 'an event that names nobody makes no order false');
select ok(
    not escrow.is_false_order('bsc', 3, '0xab', '0xcd'),
    'an order of which the contract has not told is not false'
);
select ok(escrow.is_false_order('bsc', 4, '0xab', '0xcd'), 'less than 1 USDT makes no order');
select ok(not escrow.is_false_order('bsc', 5, '0xab', '0xcd'), '1 does');
select ok(escrow.is_false_order('bsc', 6, '0xab', '0xcd'), 'nor does much of something else');
select ok(not escrow.is_false_order('bsc', 7, '0xab', '0xcd'), 'but what is taken does');
select ok(not escrow.is_false_order('base', 1, '0xef', '0xcd'), 'chains count their orders by themselves');

select * from finish();
rollback;
