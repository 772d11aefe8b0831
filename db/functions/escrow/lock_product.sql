create or replace function escrow.lock_product(
    p_id uuid,
    p_seller_wallet text
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_seller text;
begin
    perform escrow.check_trader(p_seller_wallet, 'seller_wallet');
    select p.seller_wallet into v_seller
    from escrow.products as p
    where p.id = p_id and p.deleted_at is null
    for no key update;
    if not found then
        return false;
    elsif v_seller <> p_seller_wallet then
        raise exception using errcode = 'insufficient_privilege', constraint = 'not_seller',
            message = 'seller_wallet is not the seller of this product';
    end if;
    return true;
end
$$;

comment on function escrow.lock_product(uuid, text) is
'Locks a product for its seller, so that orders, which take from its stock, come before a change or after it.
p_id: which. p_seller_wallet: who wants to change it.
Returns whether there is one; one that was deleted isn''t there.
Errors: 22023 for a seller without a profile, 42501 for somebody else''s product (not_seller; that it exists is no secret) or a blacklisted seller (blacklisted).';

revoke all on function escrow.lock_product(uuid, text) from public;
