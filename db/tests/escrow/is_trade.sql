begin;
select plan(1);

select results_eq(
    $$select status::text from unnest(enum_range(null::escrow.order_status)) as status where escrow.is_trade(status)$$,
    $$values ('completed'), ('resolved_buyer'), ('resolved_seller')$$,
    'a trade is an order that was completed or ruled on, and no other'
);

select * from finish();
rollback;
