begin;
select plan(7);

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

select count(pg_temp.order_at(o.place::integer, o.status::text)) as made
from unnest(enum_range(null::escrow.order_status)) with ordinality as o (status, place);
insert into escrow.messages (order_id, sender_wallet, ciphertext, nonce, created_at)
select
    o.id,
    o.buyer_wallet,
    'Yw==' as ciphertext,
    'bg==' as nonce,
    now() - interval '2 years' as created_at
from escrow.orders as o, generate_series(1, 2) as n;
create function pg_temp.left_of() returns text language sql as $$
    select string_agg(distinct o.status::text, ' ' order by o.status::text)
    from escrow.messages as m inner join escrow.orders as o on o.id = m.order_id
$$;

select
    throws_ok(
        format('select escrow.purge_messages(%s)', bad.number), '22023', 'limit must be at least 1',
        'to delete none is a mistake'
    )
from (values (0)) as bad (number);
set local role aqm_jobs;
select is(escrow.purge_messages(), 0::bigint, 'orders that were just over keep their messages, however old these are');
reset role;
alter table escrow.orders disable trigger guard_order;
update escrow.orders set updated_at = now() - interval '1 year' - interval '1 second'
where status <> 'completed';
update escrow.orders set updated_at = now() - interval '1 year'
where status = 'completed';
alter table escrow.orders enable trigger guard_order;
set local role aqm_jobs;
select is(escrow.purge_messages(3), 3::bigint, 'no more go at once than the limit');
select is(escrow.purge_messages(), 5::bigint, 'then the others that are a year old');
select is(escrow.purge_messages(), 0::bigint, 'then there are none');
reset role;
select is(
    pg_temp.left_of(), 'completed created disputed seller_confirmed', 'what is not over for a year is kept'
);
set local role aqm_wallet;
select throws_ok(
    'select escrow.purge_messages()', '42501', 'permission denied for function purge_messages', 'nobody else purges'
);

select * from finish();
rollback;
