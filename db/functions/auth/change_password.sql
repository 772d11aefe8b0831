create or replace function auth.change_password(
    p_id uuid,
    p_old_password text,
    p_new_password text,
    out changed boolean
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_hash text;
begin
    select u.password_hash into v_hash
    from auth.users as u
    where u.id = p_id and u.deleted_at is null and u.is_active
    for update;
    if not auth.is_password(p_old_password, v_hash) then
        perform auth.write_audit('password.refused', p_id);
        perform set_config('response.status', '403', true);
        changed := false;
        return;
    end if;
    update auth.users as u
    set password_hash = auth.hash_password(p_new_password), updated_at = now()
    where u.id = p_id;
    perform auth.write_audit('password.changed', p_id);
    -- Whoever knew the old one is out; who changed it stays in.
    perform auth.end_sessions(p_id, p_but => nullif(auth.request_claim('sid'), '')::uuid);
    changed := true;
end
$$;

comment on function auth.change_password(uuid, text, text) is
'Changes a password and ends all other sessions of the person.
p_id: whose. p_old_password: the one until now. p_new_password: 8 to 1000 characters.
Returns whether it was changed; a wrong old password leaves a row in the audit and is 403 over HTTP.
Errors: 22023 for a new password that is too short or too long.';

revoke all on function auth.change_password(uuid, text, text) from public;
grant execute on function auth.change_password(uuid, text, text) to aqm_user;

select gateway.expose(
    'PUT /users/{id}/password', 'auth.change_password', p_caller_argument => 'p_id', p_is_costly => true
);
