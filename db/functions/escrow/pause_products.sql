create or replace function escrow.pause_products(
    p_wallet text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update escrow.products as p
    set status = 'paused', updated_at = now()
    where p.id = any(array(
        select s.id
        from escrow.user_profiles as u
        inner join escrow.products as s on s.seller_wallet = u.wallet
        -- One that is sold out would be active again when an order gives its item back.
        where lower(u.wallet) = lower(p_wallet) and s.status in ('active', 'sold_out')
        -- Whoever locks several locks them in this order.
        order by s.id
        for no key update of s
    ));
end
$$;

comment on function escrow.pause_products(text) is
'Pauses all that somebody sells, active or sold out: lists need not look past the products of those who are shut out.
p_wallet: whose, in whatever case.
Errors: none.';

revoke all on function escrow.pause_products(text) from public;
