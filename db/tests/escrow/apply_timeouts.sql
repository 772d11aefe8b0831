begin;
select plan(10);

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

select count(pg_temp.order_at(o.number, o.status)) as made
from (values (1, 'created'), (2, 'seller_confirmed'), (3, 'disputed'), (4, 'created')) as o (number, status);
create function pg_temp.statuses() returns text language sql as $$
    select string_agg(o.status::text, ' ' order by o.onchain_order_id) from escrow.orders as o
$$;

select
    throws_ok(
        format('select escrow.apply_timeouts(%s)', bad.number), '22023', 'limit must be at least 1',
        'to do nothing is a mistake'
    )
from (values (0), (-1)) as bad (number);
set local role aqm_jobs;
select is(escrow.apply_timeouts(), 0::bigint, 'as long as everybody has time nothing happens');
reset role;
update escrow.orders
set
    created_at = created_at - interval '1 day', seller_confirmed_at = seller_confirmed_at - interval '3 days',
    dispute_deadline = dispute_deadline - interval '3 days';
set local role aqm_jobs;
select is(escrow.apply_timeouts(1), 1::bigint, 'no more happens at once than the limit');
select is(escrow.apply_timeouts(2), 2::bigint, 'but not less');
reset role;
select is(pg_temp.statuses(), 'expired completed disputed expired', 'orders come first');
select is(
    (
        select o.dispute_deadline from escrow.orders as o
        where o.status = 'disputed'
    ), now(), 'and disputes when they are done'
);
set local role aqm_jobs;
select is(escrow.apply_timeouts(10), 1::bigint, 'then they too');
reset role;
select is(
    (
        select o.dispute_deadline from escrow.orders as o
        where o.status = 'disputed'
    ), now() + interval '72 hours',
    'have an arbitrator with time'
);
set local role aqm_wallet;
select throws_ok(
    'select escrow.apply_timeouts()', '42501', 'permission denied for function apply_timeouts', 'nobody hastens time'
);

select * from finish();
rollback;
