create or replace function auth.find_user(
    p_id uuid
)
returns setof auth.user_account
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        u.id, auth.decrypt_text(u.email_encrypted, u.encryption_version),
        auth.decrypt_text(u.name_encrypted, u.encryption_version), u.username, u.kyc_status, u.is_active,
        u.first_company_id, u.email_verified_at, u.created_at, u.updated_at
    from auth.users as u
    where u.id = p_id and u.deleted_at is null;
end
$$;

comment on function auth.find_user(uuid) is
'Shows a person.
p_id: whom.
Returns the account; no row when there is none or it was deleted.
Errors: PT503 without the data keys.';

revoke all on function auth.find_user(uuid) from public;
grant execute on function auth.find_user(uuid) to aqm_user, aqm_admin;

select gateway.expose('GET /users/{id}', 'auth.find_user', p_caller_argument => 'p_id', p_needs_keys => true);
