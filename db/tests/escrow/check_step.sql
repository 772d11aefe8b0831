begin;
select plan(13);

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
create function pg_temp.tx(p_number integer) returns text language sql immutable as $$
    select '0x' || lpad(to_hex(p_number), 64, '0')
$$;
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

create function pg_temp.check(p_from text, p_to text, p_actor text) returns text language sql as $$
    select escrow.check_step(
        o, p_to::escrow.order_status, p_actor,
        case p_actor when 'buyer' then o.buyer_wallet when 'seller' then o.seller_wallet else o.arbitrator_wallet end
    )
    from escrow.orders as o
    where o.status = p_from::escrow.order_status
$$;
select count(pg_temp.order_at(o.number, o.status)) as made
from (values (1, 'created'), (2, 'completed'), (3, 'disputed')) as o (number, status);

select is(pg_temp.check('created', 'cancelled', 'buyer'), 'created', 'who may take a step is told from where');
select throws_ok(
    $$select pg_temp.check('created', 'completed', 'buyer')$$, 'PT409',
    'an order that is created can''t become completed', 'a step that there is not is a conflict'
);
select throws_ok(
    $$select pg_temp.check('created', 'seller_confirmed', 'buyer')$$, '42501',
    'an order that is created can become seller_confirmed, but not by its buyer', 'another''s step is forbidden'
);
select throws_ok(
    $$select pg_temp.check('created', 'expired', 'seller')$$, '42501',
    'an order that is created can become expired, but not by its seller', 'as is time''s'
);
select throws_ok(
    $$select pg_temp.check('completed', 'completed', 'buyer')$$, 'PT409',
    'an order that is completed can''t become completed', 'no step is taken twice'
);
select is(pg_temp.check('disputed', 'resolved_buyer', 'arbitrator'), 'disputed', 'an arbitrator rules in time');
update escrow.orders set dispute_deadline = now()
where status = 'disputed';
select throws_ok(
    $$select pg_temp.check('disputed', 'resolved_buyer', 'arbitrator')$$, 'PT409',
    'the dispute''s deadline has passed', 'and not later'
);

-- The contract was here first.
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
values ('bsc', 1, 0, :judge, 'cancelled', 1, jsonb_build_object('by', :seller));
update escrow.orders set chain_status = 'cancelled'
where onchain_order_id = 1;
select is(
    pg_temp.check('cancelled', 'cancelled', 'seller'), 'created', 'who caused an event that came first may still say so'
);
select throws_ok(
    $$select pg_temp.check('cancelled', 'cancelled', 'buyer')$$, 'PT409',
    'an order that is cancelled can''t become cancelled', 'but nobody for another'
);
select throws_ok(
    $$select pg_temp.check('cancelled', 'seller_confirmed', 'seller')$$, 'PT409',
    'an order that is cancelled can''t become seller_confirmed', 'nor something else'
);
insert into escrow.order_step (order_id, from_status, to_status, wallet, tx_hash)
select
    o.id,
    'created' as from_status,
    'cancelled' as to_status,
    :seller as wallet,
    pg_temp.tx(1) as tx_hash
from escrow.orders as o
where o.status = 'cancelled';
select throws_ok(
    $$select pg_temp.check('cancelled', 'cancelled', 'seller')$$, 'PT409',
    'an order that is cancelled can''t become cancelled', 'nor a second time'
);

insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
values ('bsc', 2, 0, :judge, 'resolved_buyer', 3, '{}');
update escrow.orders set chain_status = 'resolved_buyer'
where onchain_order_id = 3;
select is(
    pg_temp.check('resolved_buyer', 'resolved_buyer', 'arbitrator'), 'disputed',
    'a ruling that the contract has was in time, whenever it is told here'
);
select is_empty(
    $$select from escrow.order_step as s where s.order_id <> '0a000000-0000-4000-8000-000000000001'$$,
    'whoever is refused leaves no trace'
);

select * from finish();
rollback;
