create or replace function auth.erase_user(
    p_id uuid
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_user auth.users;
begin
    select u.* into v_user from auth.users as u where u.id = p_id for update;
    if not found then
        raise exception using errcode = 'PT404', message = 'there is no such account';
    elsif v_user.erased_at is not null then
        return;
    end if;

    perform auth.erase_traces(p_id, v_user.email_hash);
    update auth.users as u
    set
        email_hash = null, email_encrypted = null, email_verified_at = null, email_assigned_at = null,
        name_encrypted = null, username = null, aadhaar_hash = null, aadhaar_version = null,
        aadhaar_last_verified = null, password_hash = null, kyc_data = null, first_company_id = null,
        encryption_version = null, index_version = null, is_active = false,
        updated_at = now(), deleted_at = coalesce(u.deleted_at, now()), erased_at = now()
    where u.id = p_id;
    perform auth.write_audit('user.erased', p_id);
end
$$;

comment on function auth.erase_user(uuid) is
'Erases a person: the account is deleted, its sessions end, and nothing stays from which anybody could read who it was, whatever keys they have; its key stores'' ids, which are hashes of their names, go with their coins within some minutes. The audit keeps what happened to the account''s id. Done once, it does nothing.
p_id: whom; a deleted account, too.
Errors: PT404 when there is none.';

revoke all on function auth.erase_user(uuid) from public;
grant execute on function auth.erase_user(uuid) to aqm_admin;

select gateway.expose('POST /users/{id}/erase', 'auth.erase_user');
