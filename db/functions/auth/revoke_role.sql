create or replace function auth.revoke_role(
    p_id uuid,
    p_product_domain text,
    p_role text
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    -- Locked, so that a login at the same time is before it or after it.
    perform from auth.users as u where u.id = p_id for no key update;
    update auth.user_roles as ur set is_active = false, updated_at = now()
    where ur.user_id = p_id and ur.product_domain = p_product_domain and ur.role = p_role and ur.is_active;
    if not found then
        raise exception using errcode = 'PT404', message = 'the account does not have this role';
    end if;
    perform auth.write_audit('role.revoked', p_id, p_detail => jsonb_build_object(
        'product_domain', p_product_domain, 'role', p_role
    ));
    if p_product_domain = 'aqm' and p_role in ('worker', 'admin') then
        perform auth.end_sessions(p_id, p_role => p_role);
    end if;
    perform auth.void_tokens(p_id);
end
$$;

comment on function auth.revoke_role(uuid, text, text) is
'Takes a role back. Tokens that still tell of it are refused from now on; sessions of a worker or an admin who is none any more end.
p_id: whose. p_product_domain: where. p_role: which.
Errors: PT404 when the account does not have it.';

revoke all on function auth.revoke_role(uuid, text, text) from public;
grant execute on function auth.revoke_role(uuid, text, text) to aqm_admin;

select gateway.expose('DELETE /users/{id}/roles', 'auth.revoke_role');
