begin;
select plan(5);

create function pg_temp.order_of(p_opened timestamptz) returns escrow.orders language sql as $$
    select jsonb_populate_record(null::escrow.orders, jsonb_build_object(
        'buyer_wallet', '0xb', 'seller_wallet', '0x5', 'arbitrator_wallet', '0xa', 'dispute_opened_at', p_opened
    ))
$$;
select results_eq(
    $$select escrow.actor_of(pg_temp.order_of(null), w.wallet) from (values ('0xb'), ('0x5')) as w (wallet)$$,
    $$values ('buyer'), ('seller')$$, 'the parties are what they are'
);
select is(
    escrow.actor_of(pg_temp.order_of(now()), '0xa'), 'arbitrator', 'an arbitrator is one once there is a dispute'
);
select is(escrow.actor_of(pg_temp.order_of(null), '0xa'), null, 'a dispute that was taken back leaves none');
select is(escrow.actor_of(pg_temp.order_of(now()), '0xe'), null, 'anybody else is a stranger');
select is(escrow.actor_of(null, '0xb'), null, 'as is everybody where there is no order');

select * from finish();
rollback;
