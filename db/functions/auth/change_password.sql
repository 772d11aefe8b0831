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
set plan_cache_mode = force_custom_plan
as $$
begin
    if p_old_password is null then
        raise exception using errcode = 'invalid_parameter_value', message = 'old_password must not be null';
    end if;
    changed := auth.confirm_password(p_id, p_old_password);
    if not changed then
        perform set_config('response.status', '403 the password is wrong', true);
        return;
    end if;
    update auth.users as u
    set password_hash = auth.hash_password(p_new_password), updated_at = now()
    where u.id = p_id;
    perform auth.write_audit('password.changed', p_id);
    -- Whoever knew the old one is out; who changed it stays in.
    perform auth.end_sessions(p_id, p_but => nullif(auth.request_claim('sid'), '')::uuid);
end
$$;

comment on function auth.change_password(uuid, text, text) is
'Changes a password and ends all other sessions of the person.
p_id: whose. p_old_password: the one until now. p_new_password: 8 to 1000 characters, not all of them invisible.
Returns whether it was changed; a wrong old password leaves a row in the audit and is 403 over HTTP; it counts as a refused login.
Errors: 22023 for a null, an old password of more than 1000 characters and a new password that is too short, too long or invisible, PT404 when there is no such account or it is locked, PT429 with the seconds to wait after too many refusals.';

revoke all on function auth.change_password(uuid, text, text) from public;
grant execute on function auth.change_password(uuid, text, text) to aqm_user;

select gateway.expose(
    'PUT /users/{id}/password', 'auth.change_password', p_caller_argument => 'p_id', p_is_costly => true
);
