begin;
select plan(12);

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

-- The contract knows them.
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
select
    'bsc' as chain,
    n as block,
    0 as log_index,
    'c' as contract,
    'created' as kind,
    n as onchain_order_id,
    '{}' as payload
from generate_series(1, 3) as n;
select
    pg_temp.order_at(1, 'disputed') as id,
    pg_temp.order_at(2, 'disputed') as other,
    pg_temp.order_at(3, 'disputed') as late,
    pg_temp.tx(1) as tx
\gset
update escrow.orders set dispute_deadline = now()
where id = :'late';
update escrow.arbitrators set reputation = 97;
set local role aqm_wallet;
select
    throws_ok(
        format($$select escrow.resolve_dispute(%L, %L, %L, %L)$$, :'id', :judge, bad.winner, :'tx'), '22023',
        'winner must be buyer or seller', 'somebody wins'
    )
from (values ('arbitrator'), (null)) as bad (winner);
select throws_ok(
    format($$select escrow.resolve_dispute(%L, %L, 'buyer', %L)$$, :'id', :buyer, :'tx'), '42501',
    'an order that is disputed can become resolved_buyer, but not by its buyer', 'nobody is judge of themselves'
);
select is_empty(
    format($$select escrow.resolve_dispute(%L, %L, 'buyer', %L)$$, :'id', :stranger, :'tx'),
    'only who was assigned rules'
);
select throws_ok(
    format($$select escrow.resolve_dispute(%L, %L, 'buyer', %L)$$, :'late', :judge, :'tx'), 'PT409',
    'the dispute''s deadline has passed', 'who is too late rules no more'
);
select results_eq(
    format(
        $$select status::text, tx_hash_complete, completed_at from escrow.resolve_dispute(%L, %L, 'buyer', %L)$$,
        :'id', :judge, :'tx'
    ),
    format($$values ('resolved_buyer', %L, now())$$, :'tx'), 'the arbitrator rules for the buyer'
);
select is(
    (select o.status::text from escrow.resolve_dispute(:'id', :judge, 'buyer', :'tx') as o), 'resolved_buyer',
    'the same again is answered'
);
select throws_ok(
    format($$select escrow.resolve_dispute(%L, %L, 'seller', %L)$$, :'id', :judge, :'tx'), 'PT409',
    'an order that is resolved_buyer can''t become resolved_seller', 'a ruling stands'
);
select is(
    (select o.status::text from escrow.resolve_dispute(:'other', :judge, 'seller', :'tx') as o), 'resolved_seller',
    'or for the seller'
);
reset role;
select results_eq(
    'select total_resolved, reputation::integer, is_active from escrow.arbitrators', 'values (2, 100, true)',
    'each ruling counts once, and reputation ends at 100'
);
select results_eq(
    'select u.wallet::text, u.total_trades, u.reputation_score
    from escrow.user_profiles as u where u.total_trades > 0 order by 1',
    format('values (%L, 2, 0.00), (%L, 2, 0.00)', :buyer, :seller), 'each has won one and lost one'
);
select is((select p.total_sold from escrow.products as p), 1, 'what the buyer won was not sold');

select * from finish();
rollback;
