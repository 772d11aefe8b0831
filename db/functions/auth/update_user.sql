create or replace function auth.update_user(
    p_id uuid,
    p_name text default null,
    p_username text default null,
    p_first_company_id uuid default null
)
returns setof auth.user_account
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    perform auth.check_profile(p_name, p_username, p_first_company_id);
    -- Locked: a rotation of keys writes the same columns.
    perform from auth.users as u where u.id = p_id and u.deleted_at is null for update;
    if not found then
        return;
    end if;
    perform auth.check_unused(p_id, null, p_username, null);

    if num_nonnulls(p_name, p_username, p_first_company_id) > 0 then
        update auth.users as u
        set
            name_encrypted = case
                when p_name is null then u.name_encrypted else auth.encrypt_text(p_name, u.encryption_version)
            end,
            username = coalesce(p_username, u.username),
            first_company_id = coalesce(p_first_company_id, u.first_company_id),
            updated_at = now()
        where u.id = p_id;
        perform auth.write_audit('user.changed', p_id, p_detail => jsonb_build_object('fields', array_remove(array[
            case when p_name is not null then 'name' end,
            case when p_username is not null then 'username' end,
            case when p_first_company_id is not null then 'first_company_id' end
        ], null)));
    end if;
    return query select * from auth.find_user(p_id);
end
$$;

comment on function auth.update_user(uuid, text, text, uuid) is
'Changes what is told of a person, but for the email (auth.change_email()); what is null stays as it is.
p_id: whom. p_name: at most 400 bytes. p_username: 2 to 63 of a-z, 0-9, dot, dash and underscore. p_first_company_id: a company.
Returns the account; no row when there is none.
Errors: 22023 for a malformed argument, PT409 for a username that another account has, PT503 without the data keys.';

revoke all on function auth.update_user(uuid, text, text, uuid) from public;
grant execute on function auth.update_user(uuid, text, text, uuid) to aqm_user, aqm_admin;

select gateway.expose('PUT /users/{id}', 'auth.update_user', p_caller_argument => 'p_id', p_needs_keys => true);
