create or replace function auth.set_active(
    p_id uuid,
    p_is_active boolean
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    if p_is_active is null then
        raise exception using errcode = 'invalid_parameter_value', message = 'is_active must not be null';
    end if;
    update auth.users as u set is_active = p_is_active, updated_at = now()
    where u.id = p_id and u.deleted_at is null;
    if not found then
        raise exception using errcode = 'PT404', message = 'there is no such account';
    end if;
    if not p_is_active then
        perform auth.end_sessions(p_id);
    end if;
    perform auth.write_audit(
        case when p_is_active then 'user.activated' else 'user.deactivated' end, p_id
    );
end
$$;

comment on function auth.set_active(uuid, boolean) is
'Locks an account, which ends its sessions, or opens it again; what is stored stays.
p_id: whose. p_is_active: false locks it.
Errors: 22023 for a null, PT404 when there is no such account.';

revoke all on function auth.set_active(uuid, boolean) from public;
grant execute on function auth.set_active(uuid, boolean) to aqm_admin;

select gateway.expose('PUT /users/{id}/active', 'auth.set_active');
