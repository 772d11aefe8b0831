create or replace function escrow.check_new_seller(
    p_seller_wallet text,
    p_buyer_wallet text,
    p_amount numeric
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (
        select from escrow.user_profiles as u
        where u.wallet = p_seller_wallet and u.created_at > now() - interval '7 days'
    ) then
        return;
    end if;
    -- Orders of two products at once come one after the other here. The order may settle both profiles: they are
    -- locked in the order in which that is done.
    perform from escrow.user_profiles as u
    where u.wallet in (p_seller_wallet, p_buyer_wallet)
    order by u.wallet
    for no key update;
    if p_amount > 50 then
        raise exception using errcode = 'PT409', message = 'a new seller''s orders have at most 50 USDT',
            constraint = 'new_seller_limit';
    elsif (
        select count(*) from escrow.orders as o
        where o.seller_wallet = p_seller_wallet and o.created_at > now() - interval '24 hours'
    ) >= 3 then
        raise exception using errcode = 'PT409', message = 'a new seller has at most 3 orders in 24 hours',
            constraint = 'new_seller_limit';
    end if;
end
$$;

comment on function escrow.check_new_seller(text, text, numeric) is
'Refuses an order that would be too much for a seller of the first 7 days: above 50 USDT, or the fourth in 24 hours, whatever became of the others. Locks the profiles of both parties, of new sellers only.
p_seller_wallet, p_buyer_wallet: the parties. p_amount: in USDT.
Errors: PT409 (new_seller_limit) for too much.';

revoke all on function escrow.check_new_seller(text, text, numeric) from public;
