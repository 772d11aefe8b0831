begin;
select plan(5);

prepare found as select
    chain_status::text,
    cancelled_by,
    tx_hash_complete
from escrow.find_chain_status('bsc', 1);
select results_eq('found', $$values (null::text, null::text, null::text)$$, 'before the first event nothing is known');
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload) values
('bsc', 7, 10, 'c', 'cancelled', 1, '{"by": "0xAB", "tx_hash": "0x01"}'),
('bsc', 7, 9, 'c', 'created', 1, '{}'),
('bsc', 6, 99, 'c', 'seller_confirmed', 1, '{}'),
('base', 9, 0, 'c', 'disputed', 1, '{}'),
('bsc', 9, 0, 'c', 'disputed', 2, '{}');
select results_eq(
    'found', $$values ('cancelled', '0xAB', null::text)$$, 'the last event by its place counts, and says who cancelled'
);
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
values ('bsc', 10, 0, 'c', 'completed', 1, '{"by": "0xAB", "tx_hash": "0x02"}');
select results_eq(
    'found', $$values ('completed', null::text, '0x02')$$, 'the event that completes an order tells the transaction'
);
delete from escrow.chain_event as e
where e.block = 10;
select results_eq('found', $$values ('cancelled', '0xAB', null::text)$$, 'an event that is taken back says nothing');
select is(
    (select f.chain_status::text from escrow.find_chain_status('bsc', -1) as f), 'expired',
    'a number that no contract gives is that of an order that is over'
);

select * from finish();
rollback;
