begin;
select plan(13);

\ir setup/orders.sql

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
