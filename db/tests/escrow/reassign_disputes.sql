begin;
select plan(15);

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

update escrow.arbitrators set is_active = false
where wallet = :judge;
update escrow.arbitrators set reputation = 14
where wallet = :other;
update escrow.orders set dispute_deadline = now();
select is(escrow.reassign_disputes(), 1::bigint, 'who is too late too often');
select results_eq(
    'select d.arbitrator, a.is_active from pg_temp.dispute as d, escrow.arbitrators as a where a.reputation = 9',
    'values (null::text, false)', 'rules no more: the dispute waits'
);
select is(escrow.reassign_disputes(), 0::bigint, 'and waits');
update escrow.arbitrators set is_active = true
where wallet = :judge;
insert into escrow.blacklist (wallet, reason) values (:judge, 'thief');
update escrow.user_profiles set updated_at = now();
select is(escrow.reassign_disputes(), 0::bigint, 'not for who is blacklisted');
delete from escrow.blacklist;
update escrow.user_profiles set updated_at = now();
select is(escrow.reassign_disputes(), 1::bigint, 'until somebody is free');
select results_eq(
    'select * from pg_temp.dispute', format($$values (%L, interval '72 hours')$$, :judge), 'who then has 72 hours'
);
select results_eq('select * from pg_temp.judge', 'values (40, true)', 'and has lost nothing by it');

select * from finish();
rollback;
