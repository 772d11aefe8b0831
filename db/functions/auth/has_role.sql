create or replace function auth.has_role(
    p_id uuid,
    p_product_domain text,
    p_role text
)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return exists (
        select from auth.user_roles as ur
        where ur.user_id = p_id and ur.product_domain = p_product_domain and ur.role = p_role and ur.is_active
    );
end
$$;

comment on function auth.has_role(uuid, text, text) is
'Says whether a person has a role in a product.
p_id: whom. p_product_domain: where. p_role: which.
Errors: none.';

revoke all on function auth.has_role(uuid, text, text) from public;
