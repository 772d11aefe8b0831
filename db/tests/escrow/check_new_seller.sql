begin;
select plan(6);

\ir setup/orders.sql

create function pg_temp.check(p_amount numeric) returns void language sql as $$
    select escrow.check_new_seller(
        '0x00000000000000000000000000000000000000b2', '0x00000000000000000000000000000000000000b1', p_amount
    )
$$;
select count(pg_temp.order_at(n, 'cancelled')) as made from generate_series(1, 3) as n;

select lives_ok('select pg_temp.check(51)', 'who has been here for long may sell what they like');
update escrow.user_profiles set created_at = now() - interval '6 days';
select throws_ok(
    'select pg_temp.check(51)', 'PT409', 'a new seller''s orders have at most 50 USDT', 'a new seller nothing dear'
);
select throws_ok(
    'select pg_temp.check(50)', 'PT409', 'a new seller has at most 3 orders in 24 hours',
    'nor a fourth in a day, though the others were cancelled'
);
update escrow.orders set created_at = now() - interval '1 day'
where onchain_order_id = 1;
select lives_ok('select pg_temp.check(50)', 'the third is allowed');
update escrow.user_profiles set created_at = now() - interval '7 days'
where wallet = :seller;
select lives_ok('select pg_temp.check(51)', 'a week makes a seller, however new the buyer is');
select lives_ok(
    $$select escrow.check_new_seller('0x00', '0x01', 51)$$, 'who sells is asked for elsewhere'
);

select * from finish();
rollback;
