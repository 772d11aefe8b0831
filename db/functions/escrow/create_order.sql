create or replace function escrow.create_order(
    p_buyer_wallet gateway.wallet,
    p_product_id uuid,
    p_chain escrow.chain_type,
    p_token escrow.token_type,
    p_onchain_order_id bigint,
    p_tx_hash_create text
)
returns setof escrow.order_view
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_order escrow.orders;
    v_product escrow.products;
    v_id uuid;
begin
    if p_chain is null then
        raise exception using errcode = 'invalid_parameter_value', message = 'chain must be given';
    elsif p_token is null then
        raise exception using errcode = 'invalid_parameter_value', message = 'token must be given';
    end if;
    perform escrow.check_tx_hash(p_tx_hash_create, 'tx_hash_create');
    if (p_onchain_order_id >= 0) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'onchain_order_id must be at least 0';
    end if;
    perform escrow.check_trader(p_buyer_wallet, 'buyer_wallet');

    perform escrow.lock_onchain_order(p_chain, p_onchain_order_id);
    select o.* into v_order
    from escrow.orders as o
    where o.chain = p_chain and o.onchain_order_id = p_onchain_order_id;
    if not found then
        select t.* into v_product from escrow.take_item(p_product_id, p_buyer_wallet) as t;
        -- The contract may hold the money already: without a row there would be no messages and no dispute.
        if not escrow.is_paid_order(p_chain, p_onchain_order_id, p_buyer_wallet, v_product.seller_wallet) then
            perform escrow.check_sale(v_product, p_buyer_wallet);
        end if;
        insert into escrow.orders as o (
            onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount, platform_fee, tx_hash_create,
            product_hash, holds_item
        )
        values (
            p_onchain_order_id, p_chain, p_buyer_wallet, v_product.seller_wallet, p_product_id, p_token,
            v_product.price_usdt, escrow.fee_of(v_product.price_usdt), lower(p_tx_hash_create), v_product.product_hash,
            v_product.status = 'active'
        )
        returning o.id into v_id;
    elsif (v_order.buyer_wallet, v_order.product_id, v_order.tx_hash_create)
        = (p_buyer_wallet::text, p_product_id, lower(p_tx_hash_create)) then
        -- The answer was lost, and the buyer asks again; the token may be what the contract says by now.
        v_id := v_order.id;
    else
        raise exception using errcode = 'PT409', message = 'there is another order of this onchain_order_id',
            constraint = 'uq_onchain_order';
    end if;
    return query select * from escrow.find_order(v_id, p_buyer_wallet);
end
$$;

comment on function escrow.create_order(gateway.wallet, uuid, escrow.chain_type, escrow.token_type, bigint, text) is
'Orders one of a product, for which the buyer has paid the contract. The amount is the price of now, the fee 2 % of it, rounded to six places (half away from zero); where the contract''s event `created` says what was paid, before or later, amount, fee and token follow it. When that event is here and names both parties, the order is taken in any case, without an item where none can be had. The very same order again is answered with the first one.
p_buyer_wallet: who buys. p_product_id: what. p_chain, p_token: where and with what was paid. p_onchain_order_id: the contract''s number of the order, at least 0. p_tx_hash_create: the transaction, 0x and 64 hex digits.
Returns the order.
Errors: 22023 for a malformed argument, or one''s own product (chk_buyer_not_seller), 42501 when either party is blacklisted, PT404 when there is no such product, PT409 when it is sold out (sold_out) or paused (not_active), the seller is new and has had enough (new_seller_limit), or the contract''s number is another order''s, as far as is known here (uq_onchain_order) or by what it says (onchain_order_of_others).';

revoke all on function escrow.create_order(
    gateway.wallet, uuid, escrow.chain_type, escrow.token_type, bigint, text
) from public;
grant execute on function escrow.create_order(
    gateway.wallet, uuid, escrow.chain_type, escrow.token_type, bigint, text
) to aqm_wallet;

select gateway.expose('POST /v1/escrow/orders', 'escrow.create_order', p_caller_argument => 'p_buyer_wallet');
