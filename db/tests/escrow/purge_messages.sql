begin;
select plan(7);

\ir setup/orders.sql

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
