create or replace function auth.list_roles(
    p_id uuid,
    p_product_domain text default null
)
returns setof auth.role_grant
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
begin
    return query
    select ur.product_domain, ur.role, ur.created_at
    from auth.user_roles as ur
    where
        ur.user_id = p_id and ur.is_active
        and (p_product_domain is null or ur.product_domain = p_product_domain)
    order by ur.product_domain, ur.role;
end
$$;

comment on function auth.list_roles(uuid, text) is
'Lists what a person is in the products.
p_id: whom. p_product_domain: only there; null: everywhere.
Returns a row a role.
Errors: none.';

revoke all on function auth.list_roles(uuid, text) from public;
grant execute on function auth.list_roles(uuid, text) to aqm_user, aqm_admin;

select gateway.expose('GET /users/{id}/roles', 'auth.list_roles', 'roles', p_caller_argument => 'p_id');
