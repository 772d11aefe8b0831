create or replace function escrow.delete_product(
    p_id uuid,
    p_seller_wallet gateway.wallet
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not escrow.lock_product(p_id, p_seller_wallet) then
        raise exception using errcode = 'PT404', message = 'there is no such product';
    end if;
    update escrow.products as p set status = 'deleted', deleted_at = now(), updated_at = now() where p.id = p_id;
    perform escrow.bust_products();
end
$$;

comment on function escrow.delete_product(uuid, gateway.wallet) is
'Deletes a product: nobody sees or orders it any more. Its orders stay and go on; what is stored of it goes after 90 days (escrow.purge_products()).
p_id: which. p_seller_wallet: its seller.
Errors: PT404 when there is none, 22023 for a seller without a profile, 42501 for somebody else''s product (not_seller) or a blacklisted seller (blacklisted).';

revoke all on function escrow.delete_product(uuid, gateway.wallet) from public;
grant execute on function escrow.delete_product(uuid, gateway.wallet) to aqm_wallet;

select gateway.expose(
    'DELETE /v1/escrow/products/{id}', 'escrow.delete_product', p_caller_argument => 'p_seller_wallet'
);
