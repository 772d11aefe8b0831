begin;
select plan(15);

\ir setup/orders.sql

\set other '''0x00000000000000000000000000000000000000b5'''
insert into escrow.user_profiles (wallet, public_key) values (:other, 'cHVi');
create function pg_temp.choose(p_but text default null) returns text language sql as $$
    select escrow.choose_arbitrator(
        '0x00000000000000000000000000000000000000b1', '0x00000000000000000000000000000000000000b2', p_but
    )
$$;
-- A trade of two others, some days ago.
create function pg_temp.trade(
    p_buyer text, p_seller text, p_days integer, p_status text default 'created', p_judge text default null
)
returns void language plpgsql as $$
begin
    delete from escrow.orders as o where o.id = '0b000000-0000-4000-8000-000000000000';
    insert into escrow.orders (
        id, onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount, platform_fee,
        tx_hash_create,
        created_at
    )
    values (
        '0b000000-0000-4000-8000-000000000000', 0, 'bsc', p_buyer, p_seller, 'd0000000-0000-4000-8000-000000000000',
        'USDT', 10, 0.2, 'tx', now() - p_days * interval '1 day' + interval '1 second'
    );
    if p_judge is not null then
        alter table escrow.orders disable trigger guard_order;
        update escrow.orders as o
        set
            status = p_status::escrow.order_status, arbitrator_wallet = p_judge,
            updated_at = now() - p_days * interval '1 day' + interval '1 second'
        where o.id = '0b000000-0000-4000-8000-000000000000';
        alter table escrow.orders enable trigger guard_order;
    end if;
end
$$;

select is(pg_temp.choose(), :judge, 'who is active and free is chosen');
select is(pg_temp.choose(:judge), :judge, 'also who is to be left out, where there is nobody else');
update escrow.arbitrators set is_active = false;
select is(pg_temp.choose(), null, 'but not who is not active');
update escrow.arbitrators set is_active = true;
insert into escrow.blacklist (wallet, reason) values (:judge, 'thief');
update escrow.user_profiles set updated_at = now();
select is(pg_temp.choose(), null, 'nor who is blacklisted');
delete from escrow.blacklist;
update escrow.user_profiles set updated_at = now();
update escrow.arbitrators set wallet = :buyer;
select is(pg_temp.choose(), null, 'nor a party');
update escrow.arbitrators set wallet = :judge;

select pg_temp.trade(:judge, :seller, 30);
select is(pg_temp.choose(), null, 'who has bought from a party in 30 days is not free');
select pg_temp.trade(:buyer, :judge, 30);
select is(
    pg_temp.choose(), :judge, 'an order that a party placed with them changes nothing: it costs nothing to place one'
);
update escrow.orders set status = 'seller_confirmed';
select is(pg_temp.choose(), null, 'but who has confirmed one is not free either');
select pg_temp.trade(:buyer, :judge, 31);
select is(pg_temp.choose(), :judge, 'later it is forgotten');
select pg_temp.trade(:stranger, :judge, 1);
select is(pg_temp.choose(), :judge, 'trades with others do not matter');

select pg_temp.trade(:stranger, :seller, 7, 'resolved_buyer', :judge);
select is(pg_temp.choose(), null, 'who has ruled about a party in 7 days is not free');
select pg_temp.trade(:stranger, :seller, 8, 'resolved_seller', :judge);
select is(pg_temp.choose(), :judge, 'later that is forgotten too');
select pg_temp.trade(:stranger, :other, 1, 'resolved_buyer', :judge);
select is(pg_temp.choose(), :judge, 'rulings about others do not matter');
delete from escrow.orders;

insert into escrow.user_profiles (wallet, public_key)
select
    format('0x%s', repeat(n::text, 40)) as wallet,
    'cHVi' as public_key
from generate_series(1, 4) as n;
insert into escrow.arbitrators (wallet, stake_amount, stake_token)
select
    format('0x%s', repeat(n::text, 40)) as wallet,
    500 as stake_amount,
    'token' as stake_token
from generate_series(1, 4) as n;
select count(pg_temp.order_at(n, 'disputed')) as made from generate_series(1, 40) as n;
update escrow.orders set arbitrator_wallet = '0x' || repeat('1', 40);
select is(
    (select count(distinct pg_temp.choose()) from generate_series(1, 100)), 5::bigint,
    'of several it is chance, whatever each has to do: disputes can be invented to load the others'
);
select is(
    (select count(distinct pg_temp.choose(:judge)) from generate_series(1, 100)), 4::bigint,
    'and never who is to be left out'
);

select * from finish();
rollback;
