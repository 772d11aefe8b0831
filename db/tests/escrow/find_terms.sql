begin;
select plan(4);

prepare found as select
    t.buyer,
    t.seller,
    t.amount,
    t.token::text
from escrow.find_terms('bsc', 1) as t;
prepare nothing as select
    null::text as buyer,
    null::text as seller,
    null::numeric as amount,
    null::text as token;
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload) values
('base', 7, 0, 'c', 'created', 1, '{"buyer": "0xAB"}'), ('bsc', 7, 0, 'c', 'created', 2, '{"buyer": "0xAB"}'),
('bsc', 7, 1, 'c', 'completed', 1, '{"amount": "5"}');
select results_eq('found', 'nothing', 'before the event has come nothing is known');
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload) values
('bsc', 5, 0, 'c', 'created', 1, '{"buyer": "0xAB", "seller": "0xCD", "amount": "12.5", "token": "USDC"}');
select results_eq(
    'found', $$values ('0xab', '0xcd', 12.5, 'USDC')$$, 'the event tells who pays whom, and how much of what'
);
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload) values
('bsc', 6, 0, 'c', 'created', 1, '{"amount": "13"}'), ('bsc', 4, 0, 'c', 'created', 1, '{"amount": "11"}');
select results_eq(
    'found', $$values (null::text, null::text, 13::numeric, null::text)$$, 'of several the last by its place counts'
);
select is((select t.amount from escrow.find_terms('bsc', -1) as t), null, 'false orders have no terms');

select * from finish();
rollback;
