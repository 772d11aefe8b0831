create or replace function escrow.follow_product()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if new.status = 'active' and new.stock = 0 then
        new.status := 'sold_out'::escrow.product_status;
    elsif new.status = 'sold_out' and new.stock > 0 then
        new.status := 'active'::escrow.product_status;
    end if;
    return new;
end
$$;

comment on function escrow.follow_product() is
'Makes a product sold out when its last item goes, and active when one comes back.
Errors: none.';

revoke all on function escrow.follow_product() from public;

select ops.keep_trigger(
    'escrow.products',
    'follow_product',
    'before insert or update of stock, status on escrow.products
    for each row execute function escrow.follow_product()'
);
