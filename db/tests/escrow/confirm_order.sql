begin;
select plan(23);

\ir setup/orders.sql

create function pg_temp.tx(p_number integer) returns text language sql immutable as $$
    select '0x' || lpad(to_hex(p_number), 64, '0')
$$;

select
    pg_temp.order_at(1, 'created') as id,
    pg_temp.tx(1) as tx
\gset
select
    throws_ok(
        format('select escrow.confirm_order(%L, %L, %s, %L)', :'id', :seller, bad.key, :'tx'), '22023',
        'product_key_encrypted_b64 must have between 1 and 4096 bytes', bad.description
    )
from (
    values ('''''', 'no key is none'),
    ('null', 'nor is nothing'),
    ('decode(repeat(''00'', 4097), ''hex'')', 'one too long is refused')
) as bad (key, description);
set local role aqm_wallet;
select throws_ok(
    format('select escrow.confirm_order(%L, %L, ''key'', %L)', :'id', :buyer, :'tx'), '42501',
    'an order that is created can become seller_confirmed, but not by its buyer', 'a buyer confirms nothing'
);
select is_empty(
    format('select escrow.confirm_order(%L, %L, ''key'', %L)', :'id', :stranger, :'tx'),
    'to a stranger there is no order'
);
select results_eq(
    format(
        'select status::text, product_key_encrypted, seller_confirmed_at
        from escrow.confirm_order(%L, %L, decode(repeat(''fe'', 4096), ''hex''), %L)', :'id', :seller, :'tx'
    ),
    $$values ('seller_confirmed', decode(repeat('fe', 4096), 'hex'), now())$$,
    'the seller confirms and hands over the key'
);
select is(
    (select o.product_key_encrypted from escrow.find_order(:'id', :buyer) as o), decode(repeat('fe', 4096), 'hex'),
    'which the buyer gets'
);
select is(
    (
        select length(o.product_key_encrypted)
        from escrow.confirm_order(:'id', :seller, decode(repeat('fe', 4096), 'hex'), :'tx') as o
    ), 4096,
    'the same again is answered'
);
select throws_ok(
    format('select escrow.confirm_order(%L, %L, ''other'', %L)', :'id', :seller, :'tx'), 'PT409',
    'product_key_encrypted_b64 is not what this transaction came with before',
    'the same with another key is not, as the buyer may have the first'
);
reset role;
select unalike(
    (select o.product_key_encrypted from escrow.orders as o),
    '%' || chr(10) || '%',
    'base64 is stored without line breaks'
);
-- The contract was faster than the seller, and so was the buyer.
create function pg_temp.late(p_number integer, p_status text) returns text language sql as $$
    select concat_ws(' ', c.status, convert_from(c.product_key_encrypted, 'UTF8'), c.seller_confirmed_at is not null)
    from escrow.confirm_order(
        pg_temp.order_at(p_number, p_status), '0x00000000000000000000000000000000000000b2', 'key', pg_temp.tx(p_number)
    ) as c
$$;
select is(pg_temp.late(o.number, o.status), o.status || ' key t', format('a %s order gets its key late', o.status))
from (values (2, 'seller_confirmed'), (3, 'disputed'), (4, 'completed')) as o (number, status);
select results_eq(
    format(
        'select s.from_status::text, s.to_status::text, s.wallet::text, s.tx_hash::text
        from escrow.order_step as s inner join escrow.orders as o on o.id = s.order_id where o.onchain_order_id = 4'
    ),
    format('values (''created'', ''seller_confirmed'', %L, %L)', :seller, pg_temp.tx(4)), 'and the step is noted'
);
select is(
    (
        select c.status::text from escrow.confirm_order(
            '0a000000-0000-4000-8000-000000000004', :seller, 'key', pg_temp.tx(4)
        ) as c
    ), 'completed',
    'the same again is answered here too'
);
select
    throws_ok(
        format(
            $$select escrow.confirm_order('0a000000-0000-4000-8000-000000000004', %L, %L, pg_temp.tx(%s))$$,
            :seller, bad.key, bad.tx
        ),
        'PT409', bad.message, bad.description
    )
from (
    values
    ('other', 4, 'product_key_encrypted_b64 is not what this transaction came with before', 'but not with another key'),
    ('key', 5, 'an order that is completed can''t become seller_confirmed', 'nor a second time')
) as bad (key, tx, message, description);
select
    throws_ok(
        format('select pg_temp.late(%s, %L)', o.number, o.status), 'PT409',
        format('an order that is %s can''t become seller_confirmed', o.status),
        format('one that is %s needs none', o.status)
    )
from (values (6, 'cancelled'), (7, 'expired'), (8, 'resolved_buyer'), (9, 'resolved_seller')) as o (number, status);
select throws_ok(
    format('select escrow.confirm_order(pg_temp.order_at(10, ''disputed''), %L, ''key'', pg_temp.tx(10))', :buyer),
    'PT409',
    'an order that is disputed can''t become seller_confirmed', 'and a key is the seller''s to give'
);

set local role aqm_anon;
select throws_ok(
    format('select escrow.confirm_order(%L, %L, ''key'', %L)', :'id', :seller, :'tx'), '42501',
    'permission denied for function confirm_order', 'who has not signed in confirms nothing'
);

select * from finish();
rollback;
