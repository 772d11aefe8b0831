begin;
select plan(12);

\set buyer '''0x00000000000000000000000000000000000000b1'''
\set seller '''0x00000000000000000000000000000000000000b2'''
insert into escrow.user_profiles (wallet, public_key) values (:buyer, 'cHVi'), (:seller, 'cHVi');
-- An order as it is now, of its parties.
create function pg_temp.now_is(
    p_status text, p_canceller text default null
) returns escrow.orders language plpgsql as $$
declare
    v_order escrow.orders;
begin
    v_order.buyer_wallet := '0x00000000000000000000000000000000000000b1';
    v_order.seller_wallet := '0x00000000000000000000000000000000000000b2';
    v_order.status := p_status;
    v_order.cancelled_by := p_canceller;
    return v_order;
end
$$;
-- Trades as buyer and as seller and the score, of the buyer and of the seller.
create view pg_temp.counted as
select
    string_agg(
        concat_ws(' ', u.total_trades, u.total_as_buyer, u.total_as_seller, u.reputation_sum), ', ' order by u.wallet
    )
        as numbers
from escrow.user_profiles as u;

select lives_ok(
    $$select escrow.settle_profiles(pg_temp.now_is('seller_confirmed'), 'created', null)$$,
    'a step on the way may be told'
);
select is((select c.numbers from pg_temp.counted as c), '0 0 0 0, 0 0 0 0', 'and counts nothing');
do $$ begin
    perform escrow.settle_profiles(pg_temp.now_is('completed'), 'seller_confirmed', null);
end $$;
select is((select c.numbers from pg_temp.counted as c), '1 1 0 1, 1 0 1 1', 'a trade counts for both');
do $$ begin
    perform escrow.settle_profiles(pg_temp.now_is('resolved_buyer'), 'completed', null);
end $$;
select is(
    (select c.numbers from pg_temp.counted as c),
    '1 1 0 2, 1 0 1 -2',
    'what the contract says instead is counted instead'
);
do $$ begin
    perform escrow.settle_profiles(pg_temp.now_is('resolved_seller'), 'resolved_buyer', null);
end $$;
select is((select c.numbers from pg_temp.counted as c), '1 1 0 -2, 1 0 1 2', 'the other party may have won');
do $$ begin
    perform escrow.settle_profiles(pg_temp.now_is('disputed'), 'resolved_seller', null);
end $$;
select is((select c.numbers from pg_temp.counted as c), '0 0 0 0, 0 0 0 0', 'what is taken back was never counted');
do $$ begin
    perform escrow.settle_profiles(pg_temp.now_is('cancelled', '0x00000000000000000000000000000000000000b2'), 'created', null);
end $$;
select is((select c.numbers from pg_temp.counted as c), '0 0 0 0, 0 0 0 -2', 'a seller who cancels pays two');
do $$ begin
    perform escrow.settle_profiles(
        pg_temp.now_is('cancelled', '0x00000000000000000000000000000000000000b1'), 'cancelled',
        '0x00000000000000000000000000000000000000b2'
    );
end $$;
select
    is(
        (select c.numbers from pg_temp.counted as c),
        '0 0 0 -0.5, 0 0 0 0',
        'a buyer half of one; who it was may turn out later'
    );
do $$ begin
    perform escrow.settle_profiles(pg_temp.now_is('cancelled'), 'cancelled', '0x00000000000000000000000000000000000000b1');
end $$;
select is((select c.numbers from pg_temp.counted as c), '0 0 0 0.0, 0 0 0 0', 'when nobody knows, nobody pays');
update escrow.user_profiles set updated_at = now() - interval '1 day';
do $$ begin
    perform escrow.settle_profiles(pg_temp.now_is('cancelled', '0x00000000000000000000000000000000000000b1'), 'created', null);
end $$;
select results_eq(
    'select updated_at from escrow.user_profiles order by wallet', $$values (now()), (now() - interval '1 day')$$,
    'only a profile that changes is written'
);
do $$ begin
    perform escrow.settle_profiles(pg_temp.now_is('completed'), 'seller_confirmed', null) from generate_series(1, 10);
end $$;
select results_eq(
    'select tier::text from escrow.user_profiles', $$values ('standard'), ('standard')$$, 'the tier follows at once'
);
select results_eq(
    'select reputation_score from escrow.user_profiles order by wallet',
    'values (9.50), (10.00)',
    'and so does the score'
);

select * from finish();
rollback;
