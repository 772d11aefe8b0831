begin;
select plan(12);

\ir setup/orders.sql

select
    pg_temp.order_at(1, 'disputed') as id,
    pg_temp.order_at(2, 'created') as other
\gset
insert into escrow.messages (id, order_id, sender_wallet, ciphertext, nonce, created_at)
select
    format('0e000000-0000-4000-8000-%s', lpad(n::text, 12, '0'))::uuid as id,
    :'id' as order_id,
    :buyer as sender_wallet,
    encode(n::text::bytea, 'base64') as ciphertext,
    encode(repeat('n', 24)::bytea, 'base64') as nonce,
    now() + interval '1 second' * (n / 2) as created_at
from generate_series(1, 60) as n;
insert into escrow.messages (id, order_id, sender_wallet, ciphertext, nonce)
values ('0e000000-0000-4000-8000-000000000099', :'other', :seller, 'b3Ro', 'bm9uY2U=');
create function pg_temp.numbers(p_wallet text, p_after integer default null, p_limit integer default 50)
returns integer[] language sql as $$
    select array(
        select convert_from(l.ciphertext, 'UTF8')::integer
        from escrow.list_messages(
            '0a000000-0000-4000-8000-000000000001', p_wallet,
            ('0e000000-0000-4000-8000-' || lpad(p_after::text, 12, '0'))::uuid, p_limit
        ) with ordinality as l
        order by l.ordinality
    )
$$;
create function pg_temp.numbers_up_to(p_first integer, p_last integer) returns integer[] language sql as $$
    select array_agg(n) from generate_series(p_first, p_last) as n
$$;

select is(
    array(select convert_from(m.ciphertext, 'UTF8')::integer from escrow.list_messages(:'id', :buyer) as m),
    pg_temp.numbers_up_to(1, 50), 'messages come oldest first, 50 a page'
);
select is(pg_temp.numbers(:seller, 50), pg_temp.numbers_up_to(51, 60), 'the next page goes on where it ended');
select is(pg_temp.numbers(:seller, 2, 3), pg_temp.numbers_up_to(3, 5), 'also among those of one time');
select is(pg_temp.numbers(:seller, 60), '{}', 'after the last there is nothing');
select is(pg_temp.numbers(:judge, 57, 100), pg_temp.numbers_up_to(58, 60), 'an arbitrator reads them during a dispute');
select throws_ok(
    format('select pg_temp.numbers(%L)', :stranger),
    'PT404',
    'there is no such order',
    'to a stranger there is no order'
);
select throws_ok(
    format('select pg_temp.numbers(%L, 1, 0)', :buyer),
    '22023',
    'limit must be between 1 and 100',
    'a page has a message'
);
select throws_ok(
    format('select pg_temp.numbers(%L, 99)', :buyer), '22023', 'after must be a message of the order',
    'another order''s message is no place in this one'
);
select results_eq(
    format('select sender_wallet, ciphertext, created_at from escrow.list_messages(%L, %L)', :'other', :buyer),
    format('values (%L, ''oth''::bytea, now())', :seller), 'each order has its own'
);
update escrow.orders set status = 'resolved_buyer'
where id = :'id';
select throws_ok(
    format('select pg_temp.numbers(%L)', :judge), '42501',
    'an arbitrator reads and writes messages while the order is disputed',
    'when it is over the arbitrator reads no more'
);
select is(pg_temp.numbers(:buyer, 59), '{60}', 'the parties do');
set local role aqm_wallet;
select is((select count(*) from escrow.list_messages(:'id', :buyer)), 50::bigint, 'a wallet may ask');

select * from finish();
rollback;
