create or replace function auth.delete_user(
    p_id uuid
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    update auth.users as u set deleted_at = now(), updated_at = now(), is_active = false
    where u.id = p_id and u.deleted_at is null;
    if not found then
        raise exception using errcode = 'PT404', message = 'there is no such account';
    end if;
    perform auth.end_sessions(p_id);
    perform auth.void_emails(p_id);
    update auth.user_devices as ud set closed_at = now() where ud.user_id = p_id;
    perform auth.write_audit('user.deleted', p_id);
end
$$;

comment on function auth.delete_user(uuid) is
'Deletes an account: nobody can log in to it any more, its sessions end, its email is free for another, and within some minutes nobody gets a coin of its devices any more (auth.discard_devices()); what else is stored stays until auth.erase_user(). A person deletes their own by auth.close_account().
p_id: whose.
Errors: PT404 when there is none.';

revoke all on function auth.delete_user(uuid) from public;
grant execute on function auth.delete_user(uuid) to aqm_admin;

select gateway.expose('DELETE /users/{id}', 'auth.delete_user');
