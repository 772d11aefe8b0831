begin;
select plan(10);

\ir setup/orders.sql

select pg_temp.order_at(1, 'seller_confirmed') as id \gset
set local role aqm_wallet;
select
    is(
        (select o.status::text from escrow.find_order(:'id', party.wallet) as o), 'seller_confirmed',
        format('the %s sees the order', party.name)
    )
from (values (:buyer, 'buyer'), (:seller, 'seller')) as party (wallet, name);
select
    is_empty(
        format('select escrow.find_order(%L, %L)', :'id', other.wallet), format('%s does not', other.name)
    )
from
    (values (:stranger, 'a stranger'), (:judge, 'an arbitrator without a dispute'), (null, 'nobody'))
        as other (wallet, name);
reset role;
update escrow.orders set status = 'disputed';
select is(
    (select o.arbitrator_wallet from escrow.find_order(:'id', :judge) as o), :judge, 'the arbitrator sees a dispute'
);
update escrow.orders set status = 'resolved_seller';
select is((select count(*) from escrow.find_order(:'id', :judge)), 1::bigint, 'and afterwards');
insert into escrow.arbitrators (wallet, stake_amount, stake_token) values (:stranger, 500, :stranger);
update escrow.orders set arbitrator_wallet = :stranger;
select is_empty(format('select escrow.find_order(%L, %L)', :'id', :judge), 'but not once another has it');
select is_empty(format('select escrow.find_order(%L, %L)', gen_random_uuid(), :buyer), 'there is no other order');
set local role aqm_anon;
select throws_ok(
    format('select escrow.find_order(%L, %L)', :'id', :buyer), '42501', 'permission denied for function find_order',
    'who has not signed in sees none'
);

select * from finish();
rollback;
