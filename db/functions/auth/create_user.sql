create or replace function auth.create_user(
    p_email text,
    p_password text,
    p_name text default null,
    p_username text default null,
    p_aadhaar text default null,
    p_first_company_id uuid default null
)
returns setof auth.user_account
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_email text;
    v_password_hash text;
    v_encryption constant integer := auth.current_key('encryption');
    v_index constant integer := auth.current_key('index');
    v_id uuid;
begin
    v_email := auth.normal_email(p_email);
    perform auth.check_profile(p_name, p_username, p_first_company_id);
    if p_aadhaar is not null and auth.is_stranger() then
        raise exception using errcode = 'PT403', message = 'aadhaar is written down by an admin';
    elsif p_aadhaar !~ '^[0-9]{12}$' then
        raise exception using errcode = 'invalid_parameter_value', message = 'aadhaar must have 12 digits';
    end if;
    -- First the password: who asks which addresses have an account pays for a hash each time.
    v_password_hash := auth.hash_password(p_password);
    perform auth.check_unused(null, v_email, p_username, p_aadhaar);

    insert into auth.users as u (
        email_hash, email_encrypted, name_encrypted, username, aadhaar_hash, password_hash, first_company_id,
        encryption_version, index_version, aadhaar_version
    )
    values (
        auth.blind_index(v_email, v_index), auth.encrypt_text(v_email, v_encryption),
        auth.encrypt_text(p_name, v_encryption), p_username, auth.blind_index('aadhaar:' || p_aadhaar, v_index),
        v_password_hash, p_first_company_id, v_encryption, v_index,
        case when p_aadhaar is not null then v_index end
    )
    returning u.id into v_id;
    perform auth.write_audit('user.created', v_id);
    return query select * from auth.find_user(v_id);
end
$$;

comment on function auth.create_user(text, text, text, text, text, uuid) is
'Makes an account.
p_email: by which the person logs in. p_password: 8 to 1000 characters, not all of them invisible. p_name: as the person writes it, at most 400 bytes; null: not told. p_username: 2 to 63 of a-z, 0-9, dot, dash and underscore; null: none. p_aadhaar: 12 digits, kept as a keyed hash alone; null: not told; not from a stranger, who might be told that somebody has it or keep it from them. p_first_company_id: a company; null: none.
Returns the account.
Errors: 22023 for a malformed argument, PT403 for an Aadhaar number of a stranger''s, PT409 when an account has this email, username or Aadhaar number, PT503 without the data keys.';

revoke all on function auth.create_user(text, text, text, text, text, uuid) from public;
grant execute on function auth.create_user(text, text, text, text, text, uuid) to aqm_anon, aqm_admin;

select gateway.expose('POST /users', 'auth.create_user', p_needs_keys => true, p_is_costly => true);
