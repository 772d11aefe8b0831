create or replace function auth.update_user(
    p_id uuid,
    p_email text default null,
    p_name text default null,
    p_username text default null,
    p_first_company_id uuid default null
)
returns setof auth.user_account
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_email text;
begin
    if octet_length(p_name) not between 1 and 400 then
        raise exception using errcode = 'invalid_parameter_value', message = 'name must have between 1 and 400 bytes';
    elsif p_username !~ '^[a-z0-9][a-z0-9._-]{1,62}$' then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'username must have 2 to 63 of a-z, 0-9, dot, dash and underscore';
    elsif not exists (select from auth.companies as c where c.id = p_first_company_id and c.deleted_at is null)
        and p_first_company_id is not null then
        raise exception using errcode = 'invalid_parameter_value', message = 'first_company_id must be a company';
    end if;
    v_email := case when p_email is not null then auth.normal_email(p_email) end;
    -- Locked: the row is written whole with the newest keys, and a rotation writes it too.
    perform from auth.users as u where u.id = p_id and u.deleted_at is null for update;
    if not found then
        return;
    end if;
    perform auth.check_unused(p_id, v_email, p_username, null);
    -- Tokens that were sent to the old address prove nothing of the new one.
    delete from auth.one_time_tokens as ott where ott.user_id = p_id and v_email is not null;

    update auth.users as u
    set
        email_hash = case when v_email is null then u.email_hash else auth.blind_index(v_email, u.index_version) end,
        email_encrypted = case
            when v_email is null then u.email_encrypted else auth.encrypt_text(v_email, u.encryption_version)
        end,
        -- A new address has yet to prove itself.
        email_verified_at = case when v_email is null then u.email_verified_at end,
        name_encrypted = case
            when p_name is null then u.name_encrypted else auth.encrypt_text(p_name, u.encryption_version)
        end,
        username = coalesce(p_username, u.username),
        first_company_id = coalesce(p_first_company_id, u.first_company_id),
        updated_at = now()
    where u.id = p_id;
    perform auth.write_audit('user.changed', p_id, p_detail => jsonb_build_object('fields', array_remove(array[
        case when p_email is not null then 'email' end, case when p_name is not null then 'name' end,
        case when p_username is not null then 'username' end,
        case when p_first_company_id is not null then 'first_company_id' end
    ], null)));
    return query select * from auth.find_user(p_id);
end
$$;

comment on function auth.update_user(uuid, text, text, text, uuid) is
'Changes what is told of a person; what is null stays as it is.
p_id: whom. p_email: the new address, which has to be verified again. p_name: at most 400 bytes. p_username: 2 to 63 of a-z, 0-9, dot, dash and underscore. p_first_company_id: a company.
Returns the account; no row when there is none.
Errors: 22023 for a malformed argument, PT409 for an email or username that another account has, PT503 without the data keys.';

revoke all on function auth.update_user(uuid, text, text, text, uuid) from public;
grant execute on function auth.update_user(uuid, text, text, text, uuid) to aqm_user, aqm_admin;

select gateway.expose('PUT /users/{id}', 'auth.update_user', p_caller_argument => 'p_id', p_needs_keys => true);
