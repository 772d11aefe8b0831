begin;
select plan(9);

\ir setup/orders.sql

create view pg_temp.people as
select
    u.wallet::text,
    u.total_trades,
    u.total_as_buyer,
    u.total_as_seller,
    u.reputation_score
from escrow.user_profiles as u
where u.total_trades <> 0 or u.reputation_score <> 0
order by 1;
select pg_temp.order_at(1, 'seller_confirmed') as id \gset

select is_empty('select * from pg_temp.people', 'what is not over counts for nobody');
update escrow.orders set status = 'completed';
select results_eq(
    'select * from pg_temp.people', format('values (%L, 1, 1, 0, 1.00), (%L, 1, 0, 1, 1.00)', :buyer, :seller),
    'a trade counts for both'
);
update escrow.orders set status = 'completed', tx_hash_complete = 'tx';
select results_eq(
    'select * from pg_temp.people', format('values (%L, 1, 1, 0, 1.00), (%L, 1, 0, 1, 1.00)', :buyer, :seller),
    'what stays as it was counts no second time'
);
select is((select p.total_sold from escrow.products as p), 1, 'nor is it sold twice');
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
values ('bsc', 1, 0, 'c', 'cancelled', 1, '{}');
update escrow.orders set chain_status = 'cancelled';
select is_empty('select * from pg_temp.people', 'what was counted is taken back; who cancelled is not known');
update escrow.orders set cancelled_by = :seller;
select results_eq(
    'select * from pg_temp.people', format('values (%L, 0, 0, 0, -2.00)', :seller), 'as soon as it is, it costs'
);
update escrow.orders set cancelled_by = :buyer;
select results_eq(
    'select * from pg_temp.people', format('values (%L, 0, 0, 0, -0.50)', :buyer), 'the one who did it, and no other'
);
update escrow.chain_event as e set payload = jsonb_build_object('by', :seller);
update escrow.orders set updated_at = now();
select results_eq(
    'select * from pg_temp.people', format('values (%L, 0, 0, 0, -2.00)', :seller),
    'whatever statement it is by which it is noted'
);
select is_empty(
    'select u.wallet, r.wallet from escrow.user_profiles as u, escrow.recompute_profile(u.wallet) as r
    where (u.reputation_score, u.total_trades) is distinct from (r.reputation_score, r.total_trades)',
    'counting from scratch gives the same'
);

select * from finish();
rollback;
