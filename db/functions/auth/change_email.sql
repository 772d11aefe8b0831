create or replace function auth.change_email(
    p_id uuid,
    p_email text,
    p_password text default null
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
    v_old bytea;
begin
    v_email := auth.normal_email(p_email);
    select u.email_hash into v_old
    from auth.users as u
    where u.id = p_id and u.deleted_at is null
    for no key update;
    -- The way to a new password leads over the address: a token that was stolen must not be enough to change it.
    -- Not one condition: without a token its first half is null, and the second would count a guess.
    if auth.request_claim('role') = 'user' then
        if not auth.confirm_password(p_id, p_password) then
            perform set_config('response.status', '403', true);
            return;
        end if;
    end if;
    perform auth.check_unused(p_id, v_email, null, null);

    update auth.users as u
    set
        email_hash = auth.blind_index(v_email, u.index_version),
        email_encrypted = auth.encrypt_text(v_email, u.encryption_version),
        -- A new address has yet to prove itself.
        email_verified_at = case when v_old = auth.blind_index(v_email, u.index_version) then u.email_verified_at end,
        updated_at = now()
    where u.id = p_id and u.deleted_at is null;
    if found then
        -- What was sent to the old address is good no more.
        delete from auth.one_time_tokens as ott where ott.user_id = p_id;
        perform auth.write_audit('email.changed', p_id);
    end if;
    return query select * from auth.find_user(p_id);
end
$$;

comment on function auth.change_email(uuid, text, text) is
'Changes the address that a person logs in with; the new one has to be verified again.
p_id: whose. p_email: the new address. p_password: the person''s, which a token with role user has to bring; null: an admin or a DBA needs none.
Returns the account; no row when there is none, and for a wrong password, which counts as a refused login: over HTTP 403.
Errors: 22023 for what is no address and for a null password with role user, PT404 for a person whose account is gone or locked, PT409 for an address that another account has, PT429 with the seconds to wait after too many refusals, PT503 without the data keys.';

revoke all on function auth.change_email(uuid, text, text) from public;
grant execute on function auth.change_email(uuid, text, text) to aqm_user, aqm_admin;

select gateway.expose(
    'PUT /users/{id}/email', 'auth.change_email', p_caller_argument => 'p_id', p_needs_keys => true, p_is_costly => true
);
