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

create function pg_temp.say(p_kind text) returns text language plpgsql as $$
begin
    delete from escrow.chain_event;
    if p_kind is not null then
        insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
        values ('bsc', 1, 0, 'c', p_kind, 1, '{}');
    end if;
    update escrow.orders set chain_status = p_kind::escrow.order_status;
    return (
        select format('%s: stock %s, sold %s, holds %s', o.status, p.stock, p.total_sold, o.holds_item)
        from escrow.orders as o
        inner join escrow.products as p on p.id = o.product_id
    );
end
$$;
-- As if the order had taken the last but 30.
select pg_temp.order_at(1, 'created') as id \gset

select is(pg_temp.say('cancelled'), 'cancelled: stock 31, sold 0, holds f', 'a cancelled order gives its item back');
select is(pg_temp.say('expired'), 'expired: stock 31, sold 0, holds f', 'and not twice, when it expires instead');
select
    is(
        pg_temp.say('completed'), 'completed: stock 30, sold 1, holds t', 'one that the contract revives takes it again'
    );
select is(pg_temp.say('resolved_seller'), 'resolved_seller: stock 30, sold 1, holds t', 'what the seller won is sold');
select is(pg_temp.say('resolved_buyer'), 'resolved_buyer: stock 30, sold 0, holds t', 'what the buyer won is not');
select is(pg_temp.say('cancelled'), 'cancelled: stock 31, sold 0, holds f', 'what was sold may come back');
update escrow.products set stock = 0;
select is(
    pg_temp.say('completed'), 'completed: stock 0, sold 1, holds f', 'where nothing is left it lives without an item'
);
select is(pg_temp.say('cancelled'), 'cancelled: stock 0, sold 0, holds f', 'and gives none back that it never had');
select is((select p.status::text from escrow.products as p), 'sold_out', 'the product is sold out as before');
select is(pg_temp.say(null), 'created: stock 0, sold 0, holds f', 'also when nothing was said');
update escrow.products set stock = 1;
select is(pg_temp.say('expired'), 'expired: stock 1, sold 0, holds f', 'an item that came since is not its own');
select is(pg_temp.say(null), 'created: stock 0, sold 0, holds t', 'but it may take it');
select is(pg_temp.say('expired'), 'expired: stock 1, sold 0, holds f', 'and gives it back then');

select * from finish();
rollback;
