create or replace function auth.grant_role(
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
    if (p_product_domain ~ '^[a-z][a-z0-9_-]{0,49}$') is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'product_domain must have 1 to 50 of a-z, 0-9, dash and underscore';
    elsif (p_role ~ '^[a-z][a-z0-9_-]{0,49}$') is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'role must have 1 to 50 of a-z, 0-9, dash and underscore';
    elsif p_product_domain = 'aqm' and p_role not in ('worker', 'admin') then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'role must be worker or admin in product aqm';
    end if;
    -- Locked, so that a login at the same time is before it or after it.
    perform from auth.users as u where u.id = p_id and u.deleted_at is null for no key update;
    if not found then
        raise exception using errcode = 'PT404', message = 'there is no such account';
    end if;
    if (
        select coalesce(sum(length(ur.product_domain) + length(ur.role)), 0) > 1500
        from auth.user_roles as ur
        where ur.user_id = p_id and ur.is_active
    ) then
        raise exception using errcode = 'PT409', message = 'more roles than a token has room for',
            constraint = 'user_roles_size';
    end if;
    insert into auth.user_roles as ur (user_id, product_domain, role)
    values (p_id, p_product_domain, p_role)
    on conflict on constraint pk_user_roles do update set is_active = true, updated_at = now() where not ur.is_active;
    if found then
        perform auth.write_audit('role.granted', p_id, p_detail => jsonb_build_object(
            'product_domain', p_product_domain, 'role', p_role
        ));
        perform auth.void_tokens(p_id);
    end if;
end
$$;

comment on function auth.grant_role(uuid, text, text) is
'Gives a person a role in a product; aqm/admin may log in as admin, aqm/worker as worker. Tokens that don''t know it yet are refused from now on and have to be refreshed.
p_id: whom. p_product_domain: where. p_role: which; in product aqm worker or admin, in others what they know.
Errors: 22023 for a malformed name and for a role that aqm does not have, PT404 when there is no such account, PT409 for more roles than a token has room for.';

revoke all on function auth.grant_role(uuid, text, text) from public;
grant execute on function auth.grant_role(uuid, text, text) to aqm_admin;

select gateway.expose('POST /users/{id}/roles', 'auth.grant_role');
