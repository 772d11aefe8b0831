begin;
select plan(20);

\set buyer '''0x00000000000000000000000000000000000000b1'''
\set seller '''0x00000000000000000000000000000000000000b2'''
\set judge '''0x00000000000000000000000000000000000000b3'''
\set stranger '''0x00000000000000000000000000000000000000b4'''
\set product '''d0000000-0000-4000-8000-000000000000'''
insert into escrow.user_profiles (wallet, public_key, created_at)
values
(:buyer, 'cHVi', now() - interval '30 days'), (:seller, 'cHVi', now() - interval '30 days'),
(:judge, 'cHVi', now() - interval '30 days'), (:stranger, 'cHVi', now() - interval '30 days');
insert into escrow.arbitrators (wallet, stake_amount, stake_token) values (:judge, 500, :judge);
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
)
values (:product, :seller, 'Title', 'Text', 'data', 10, 30, 'hash');
create function pg_temp.order_at(p_number integer, p_status text) returns uuid language plpgsql as $$
declare
    v_id uuid := format('0a000000-0000-4000-8000-%s', lpad(p_number::text, 12, '0'));
    v_step text;
begin
    insert into escrow.orders (
        id, onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount, platform_fee,
        tx_hash_create
    )
    values (
        v_id, p_number, 'bsc', '0x00000000000000000000000000000000000000b1',
        '0x00000000000000000000000000000000000000b2', 'd0000000-0000-4000-8000-000000000000', 'USDT', 10, 0.2, 'tx'
    );
    foreach v_step in array case p_status
        when 'created' then '{}'
        when 'cancelled' then '{cancelled}'
        when 'expired' then '{expired}'
        when 'seller_confirmed' then '{seller_confirmed}'
        when 'completed' then '{seller_confirmed,completed}'
        when 'disputed' then '{seller_confirmed,disputed}'
        else array['seller_confirmed', 'disputed', p_status]
    end::text[]
    loop
        update escrow.orders as o set status = v_step::escrow.order_status where o.id = v_id;
    end loop;
    return v_id;
end
$$;

\set other '''0x00000000000000000000000000000000000000b5'''
insert into escrow.user_profiles (wallet, public_key) values (:other, 'cHVi');
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
values ('bsc', 1, 0, 'c', 'created', 1, '{}');
select pg_temp.order_at(1, 'disputed') as id \gset
update escrow.orders set dispute_deadline = now() + interval '1 second';
create view pg_temp.dispute as
select
    o.arbitrator_wallet::text as arbitrator,
    o.dispute_deadline - now() as rest
from escrow.orders as o;
create view pg_temp.judge as
select
    a.reputation::integer as reputation,
    a.is_active
from escrow.arbitrators as a
where a.wallet = '0x00000000000000000000000000000000000000b3';

select is(escrow.reassign_disputes(), 0::bigint, 'who has time left keeps the dispute');
update escrow.orders set dispute_deadline = now();
select is(escrow.reassign_disputes(0), 0::bigint, 'none at once are none');
select is(escrow.reassign_disputes(), 1::bigint, 'when the deadline has passed something happens');
select results_eq(
    'select * from pg_temp.dispute', format($$values (%L, interval '72 hours')$$, :judge),
    'where there is nobody else the first keeps it, and gets more time'
);
select results_eq('select * from pg_temp.judge', 'values (45, true)', 'but loses 5 points');

insert into escrow.arbitrators (wallet, stake_amount, stake_token) values (:other, 500, :other);
update escrow.orders set dispute_deadline = now();
select is(escrow.reassign_disputes(), 1::bigint, 'the next time');
select results_eq(
    'select * from pg_temp.dispute', format($$values (%L, interval '72 hours')$$, :other), 'another is there'
);
select results_eq('select * from pg_temp.judge', 'values (40, true)', 'and the first loses 5 points again');

insert into escrow.blacklist (wallet, reason) values (:other, 'thief');
select is(escrow.reassign_disputes(), 1::bigint, 'for a ruling of who was blacklisted nobody waits');
select results_eq(
    'select d.*, a.reputation::integer from pg_temp.dispute as d, escrow.arbitrators as a where a.stake_token = a.wallet
    and a.wallet <> d.arbitrator',
    format($$values (%L, interval '72 hours', 50)$$, :judge), 'another has it; who had time left loses nothing'
);
update escrow.arbitrators set is_active = false;
select is(escrow.reassign_disputes(), 1::bigint, 'nor for one of who is active no more');
select results_eq(
    'select * from pg_temp.dispute', $$values (null::text, interval '1 hour')$$, 'where nobody is free it waits'
);
update escrow.arbitrators set is_active = true;
select is(escrow.reassign_disputes(), 0::bigint, 'for an hour, whoever comes');
update escrow.orders set dispute_deadline = now();
select is(escrow.reassign_disputes(), 1::bigint, 'then it is asked again');
select results_eq(
    'select * from pg_temp.dispute', format($$values (%L, interval '72 hours')$$, :judge), 'who then has 72 hours'
);
select results_eq('select * from pg_temp.judge', 'values (40, true)', 'and has lost nothing by it');

-- As a dispute begins that nobody was free for.
update escrow.orders set arbitrator_wallet = null;
select is(escrow.reassign_disputes(), 1::bigint, 'a new dispute that nobody has is asked about at once');
select pg_temp.order_at(2, 'disputed') as id \gset
update escrow.orders set status = 'resolved_buyer'
where onchain_order_id = 1;
update escrow.orders set dispute_deadline = now()
where onchain_order_id = 2;
select is(escrow.reassign_disputes(), 1::bigint, 'who has ruled about the parties meanwhile');
select is(
    (
        select o.arbitrator_wallet from escrow.orders as o
        where o.status = 'disputed'
    ), null,
    'does not keep the dispute, though there is nobody else'
);
select results_eq(
    'select * from pg_temp.judge', 'values (40, true)',
    'nor do they lose points by a dispute that the contract knows nothing of'
);

select * from finish();
rollback;
