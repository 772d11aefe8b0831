begin;
select plan(12);

\ir setup/orders.sql

create function pg_temp.tx(p_number integer) returns text language sql immutable as $$
    select '0x' || lpad(to_hex(p_number), 64, '0')
$$;

-- The contract knows them.
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
select
    'bsc' as chain,
    n as block,
    0 as log_index,
    'c' as contract,
    'created' as kind,
    n as onchain_order_id,
    '{}' as payload
from generate_series(1, 3) as n;
select
    pg_temp.order_at(1, 'disputed') as id,
    pg_temp.order_at(2, 'disputed') as other,
    pg_temp.order_at(3, 'disputed') as late,
    pg_temp.tx(1) as tx
\gset
update escrow.orders set dispute_deadline = now()
where id = :'late';
update escrow.arbitrators set reputation = 97;
set local role aqm_wallet;
select
    throws_ok(
        format($$select escrow.resolve_dispute(%L, %L, %L, %L)$$, :'id', :judge, bad.winner, :'tx'), '22023',
        'winner must be buyer or seller', 'somebody wins'
    )
from (values ('arbitrator'), (null)) as bad (winner);
select throws_ok(
    format($$select escrow.resolve_dispute(%L, %L, 'buyer', %L)$$, :'id', :buyer, :'tx'), '42501',
    'an order that is disputed can become resolved_buyer, but not by its buyer', 'nobody is judge of themselves'
);
select is_empty(
    format($$select escrow.resolve_dispute(%L, %L, 'buyer', %L)$$, :'id', :stranger, :'tx'),
    'only who was assigned rules'
);
select throws_ok(
    format($$select escrow.resolve_dispute(%L, %L, 'buyer', %L)$$, :'late', :judge, :'tx'), 'PT409',
    'the dispute''s deadline has passed', 'who is too late rules no more'
);
select results_eq(
    format(
        $$select status::text, tx_hash_complete, completed_at from escrow.resolve_dispute(%L, %L, 'buyer', %L)$$,
        :'id', :judge, :'tx'
    ),
    format($$values ('resolved_buyer', %L, now())$$, :'tx'), 'the arbitrator rules for the buyer'
);
select is(
    (select o.status::text from escrow.resolve_dispute(:'id', :judge, 'buyer', :'tx') as o), 'resolved_buyer',
    'the same again is answered'
);
select throws_ok(
    format($$select escrow.resolve_dispute(%L, %L, 'seller', %L)$$, :'id', :judge, :'tx'), 'PT409',
    'an order that is resolved_buyer can''t become resolved_seller', 'a ruling stands'
);
select is(
    (select o.status::text from escrow.resolve_dispute(:'other', :judge, 'seller', :'tx') as o), 'resolved_seller',
    'or for the seller'
);
reset role;
select results_eq(
    'select total_resolved, reputation::integer, is_active from escrow.arbitrators', 'values (2, 100, true)',
    'each ruling counts once, and reputation ends at 100'
);
select results_eq(
    'select u.wallet::text, u.total_trades, u.reputation_score
    from escrow.user_profiles as u where u.total_trades > 0 order by 1',
    format('values (%L, 2, 0.00), (%L, 2, 0.00)', :buyer, :seller), 'each has won one and lost one'
);
select is((select p.total_sold from escrow.products as p), 1, 'what the buyer won was not sold');

select * from finish();
rollback;
