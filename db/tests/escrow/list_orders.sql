begin;
select plan(14);

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

-- Numbers 1 to 6, each a minute younger than the one before; 3 and 4 at the same time.
select count(pg_temp.order_at(o.number, o.status)) as made
from (
    values (1, 'completed'), (2, 'created'), (3, 'disputed'), (4, 'created'), (5, 'cancelled'), (6, 'created')
) as o (number, status);
update escrow.orders
set
    created_at
    = now() - interval '1 hour' + interval '1 minute' * case onchain_order_id when 4 then 3 else onchain_order_id end;
create function pg_temp.numbers(
    p_wallet text, p_status text default null, p_after bigint default null, p_limit integer default 50
)
returns bigint[] language sql as $$
    select array(
        select l.onchain_order_id
        from escrow.list_orders(
            p_wallet, p_status::escrow.order_status,
            (select o.id from escrow.orders as o where o.onchain_order_id = p_after), p_limit
        ) with ordinality as l
        order by l.ordinality
    )
$$;

select is(pg_temp.numbers(:buyer), '{6,5,4,3,2,1}', 'the buyer sees the newest first, of one time the greater id');
select is(pg_temp.numbers(:seller), '{6,5,4,3,2,1}', 'so does the seller');
select is(pg_temp.numbers(:judge), '{3}', 'an arbitrator sees the disputes');
update escrow.orders set status = 'resolved_buyer'
where onchain_order_id = 3;
select is(pg_temp.numbers(:judge), '{3}', 'also when they are over');
select is(pg_temp.numbers(:stranger), '{}', 'a stranger sees nothing');
select is(pg_temp.numbers(:buyer, 'created'), '{6,4,2}', 'a status may be asked for');
select is(pg_temp.numbers(:buyer, 'expired'), '{}', 'also one that none has');
select is(pg_temp.numbers(:buyer, p_limit => 3), '{6,5,4}', 'a page has as many as were asked for');
select is(pg_temp.numbers(:buyer, p_after => 4, p_limit => 2), '{3,2}', 'the next goes on where it ended');
select is(pg_temp.numbers(:seller, 'created', 4), '{2}', 'of one status too');
select is(pg_temp.numbers(:seller, p_after => 1), '{}', 'after the last there is nothing');
select throws_ok(
    format('select escrow.list_orders(%L, p_limit => 101)', :buyer), '22023', 'limit must be between 1 and 100',
    'a page has an end'
);
select throws_ok(
    format('select escrow.list_orders(%L, p_after => o.id) from escrow.orders as o', :stranger), '22023',
    'after must be an order of one''s own', 'nobody learns of others'' orders by asking what comes after'
);
set local role aqm_wallet;
select is((select count(*) from escrow.list_orders(:buyer, 'created')), 3::bigint, 'a wallet may ask');

select * from finish();
rollback;
