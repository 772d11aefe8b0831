create or replace function escrow.settle_profiles(
    p_order escrow.orders,
    p_was escrow.order_status,
    p_canceller text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_trades integer := escrow.is_trade(p_order.status)::integer - escrow.is_trade(p_was)::integer;
    v_party record;
begin
    -- One after the other by name: two orders of the same people never wait for each other.
    for v_party in
        select
            p.wallet,
            p.is_seller,
            escrow.trade_score(p_order.status, p.is_seller, p_order.cancelled_by = p.wallet)
            - escrow.trade_score(p_was, p.is_seller, p_canceller = p.wallet) as score
        from (values (p_order.buyer_wallet, false), (p_order.seller_wallet, true)) as p (wallet, is_seller)
        order by p.wallet
    loop
        continue when v_trades = 0 and v_party.score = 0;
        update escrow.user_profiles as u
        set
            total_trades = u.total_trades + v_trades,
            total_as_buyer = u.total_as_buyer + case when v_party.is_seller then 0 else v_trades end,
            total_as_seller = u.total_as_seller + case when v_party.is_seller then v_trades else 0 end,
            reputation_sum = u.reputation_sum + v_party.score,
            updated_at = now()
        where u.wallet = v_party.wallet;
        perform gateway.bust_cache('escrow.find_profile');
    end loop;
end
$$;

comment on function escrow.settle_profiles(escrow.orders, escrow.order_status, text) is
'Counts an order''s new status in the profiles of its parties, and takes back what the old one counted.
p_order: as it is now. p_was: its status before. p_canceller: who had cancelled it before; null: nobody, or nobody knows.
Errors: none.';

revoke all on function escrow.settle_profiles(escrow.orders, escrow.order_status, text) from public;
