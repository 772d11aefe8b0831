begin;
select plan(14);

\set buyer '''0x00000000000000000000000000000000000000b1'''
\set seller '''0x00000000000000000000000000000000000000b2'''
\set judge '''0x00000000000000000000000000000000000000b3'''
\set product '''d0000000-0000-4000-8000-000000000000'''
\set id '''0a000000-0000-4000-8000-000000000000'''
insert into escrow.user_profiles (wallet, public_key)
values (:buyer, 'cHVi'), (:seller, 'cHVi'), (:judge, 'cHVi');
insert into escrow.arbitrators (wallet, stake_amount, stake_token) values (:judge, 500, :judge);
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
)
values (:product, :seller, 'Title', 'Text', 'data', 10, 3, 'hash');
create function pg_temp.make_order(p_status text) returns void language sql as $$
    insert into escrow.orders (
        id, onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount, platform_fee, status,
        tx_hash_create
    )
    values (
        '0a000000-0000-4000-8000-000000000000', 1, 'bsc', '0x00000000000000000000000000000000000000b1',
        '0x00000000000000000000000000000000000000b2', 'd0000000-0000-4000-8000-000000000000', 'USDT', 10, 0.2,
        p_status::escrow.order_status, 'tx'
    )
$$;
create function pg_temp.step(p_status text) returns void language sql as $$
    update escrow.orders set status = p_status::escrow.order_status
    where id = '0a000000-0000-4000-8000-000000000000'
$$;

select throws_ok(
    $$select pg_temp.make_order('completed')$$, 'PT409', 'an order begins as created', 'no order begins elsewhere'
);
select pg_temp.make_order('created');
select throws_ok(
    $$select pg_temp.step('completed')$$, 'PT409', 'an order that is created can''t become completed',
    'an UPDATE by hand can''t leave out a step'
);
select pg_temp.step('seller_confirmed');
select isnt((select o.seller_confirmed_at from escrow.orders as o), null, 'a step notes its time');
select pg_temp.step('disputed');
select results_eq(
    'select arbitrator_wallet::text, dispute_deadline from escrow.orders',
    format($$values (%L, now() + interval '72 hours')$$, :judge),
    'a dispute has an arbitrator and a deadline'
);
select throws_ok(
    $$update escrow.orders set party_status = 'created'$$, 'PT409', 'party_status follows from status',
    'what the parties did can''t be rewritten'
);
select throws_ok(
    $$update escrow.orders set chain_status = 'completed'$$, 'PT409',
    'chain_status follows from the contract''s events', 'nobody speaks for the contract'
);
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
values ('bsc', 7, 0, :judge, 'completed', 1, '{}');
update escrow.orders set chain_status = 'completed';
select is((select o.status::text from escrow.orders as o), 'completed', 'the contract wins over the parties');
select is(
    (select p.total_sold from escrow.products as p), 1, 'what the contract completed is counted as sold'
);
delete from escrow.chain_event;
update escrow.orders set chain_status = null;
select results_eq(
    'select status::text, completed_at from escrow.orders', $$values ('disputed', null::timestamptz)$$,
    'an event that is taken back leaves what the parties did'
);

select throws_ok(
    $$update escrow.orders set onchain_order_id = -1$$, 'PT409', 'an order keeps its onchain_order_id',
    'no hand takes an order''s number from it'
);
select throws_ok(
    $$update escrow.orders set chain = 'base'$$, 'PT409', 'an order keeps its onchain_order_id',
    'no order moves to another chain'
);
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload) values
('bsc', 7, 0, :judge, 'created', 1, jsonb_build_object('buyer', :judge)),
('bsc', 8, 0, :judge, 'created', 2, jsonb_build_object('buyer', :judge));
select throws_ok(
    $$update escrow.orders set onchain_order_id = 2$$, 'PT409', 'an order keeps its onchain_order_id',
    'a false order gets no number that the contract may give'
);
update escrow.orders set onchain_order_id = -1, chain_status = 'expired';
select results_eq(
    'select status::text, party_status::text, cancelled_by::text from escrow.orders',
    $$values ('expired', 'disputed', null::text)$$,
    'an order that the contract has for another loses its number and is over'
);
select throws_ok(
    $$select pg_temp.make_order('created')$$, 'PT409', 'onchain_order_id is an order of others, or of less than 1 USDT',
    'nobody can take the number of an order of others'
);

select * from finish();
rollback;
