create or replace function escrow.check_order_change(
    p_old escrow.orders,
    p_new escrow.orders
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_terms escrow.orders;
    v_fault text;
begin
    v_fault := case
        when p_new.party_status <> p_old.party_status then 'party_status follows from status'
        when
            p_new.chain <> p_old.chain
            or p_new.onchain_order_id <> p_old.onchain_order_id and (
                p_new.onchain_order_id >= 0
                or not escrow.is_false_order(
                    p_old.chain, p_old.onchain_order_id, p_old.buyer_wallet, p_old.seller_wallet
                )
            )
            then 'an order keeps its onchain_order_id'
        when (p_new.buyer_wallet, p_new.seller_wallet) <> (p_old.buyer_wallet, p_old.seller_wallet)
            then 'an order keeps its parties'
        when p_new.product_id <> p_old.product_id or coalesce(p_new.product_hash, '') <> p_old.product_hash
            then 'an order keeps its product'
        when p_new.arbitrator_wallet <> coalesce(p_old.arbitrator_wallet, '') and not exists (
            select from escrow.arbitrators as a
            inner join escrow.user_profiles as u on u.wallet = a.wallet
            where a.wallet = p_new.arbitrator_wallet and a.is_active and not u.is_blacklisted
        )
            then 'arbitrator_wallet must be an active arbitrator who is not blacklisted'
    end;
    if (p_new.token, p_new.amount, p_new.platform_fee) <> (p_old.token, p_old.amount, p_old.platform_fee) then
        v_terms := escrow.follow_terms(p_old);
        if (p_new.token, p_new.amount, p_new.platform_fee) <> (v_terms.token, v_terms.amount, v_terms.platform_fee) then
            v_fault := 'token, amount and platform_fee follow from the contract''s event';
        end if;
    end if;
    if v_fault is not null then
        raise exception using errcode = 'PT409', message = v_fault, constraint = 'order_transition';
    end if;
end
$$;

comment on function escrow.check_order_change(escrow.orders, escrow.orders) is
'Refuses a change of what an order is about, whoever makes it and how: what both parties have agreed on and who rules over it must not depend on who can write rows. The contract''s word is followed.
p_old: the order as it was. p_new: as it is to be; escrow.guard_order() looks at its statuses.
Errors: PT409 (order_transition) for such a change.';

revoke all on function escrow.check_order_change(escrow.orders, escrow.orders) from public;
