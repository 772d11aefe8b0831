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
    v_user auth.users;
    v_old text;
begin
    v_email := auth.normal_email(p_email);
    select u.* into v_user
    from auth.users as u
    where u.id = p_id and u.deleted_at is null
    for no key update;
    -- The way to a new password leads over the address: a token that was stolen must not be enough to change it.
    -- Not one condition: without a token its first half is null, and the second would count a guess.
    if auth.request_claim('role') = 'user' then
        if not auth.confirm_password(p_id, p_password) then
            perform set_config('response.status', '403 the password is wrong', true);
            return;
        end if;
    end if;
    if v_user.id is null then
        return;
    end if;
    v_old := auth.decrypt_or_null(v_user.email_encrypted, v_user.encryption_version);
    if v_old is distinct from v_email then
        perform auth.check_unused(p_id, v_email, null, null);
        update auth.users as u
        set
            email_hash = auth.blind_index(v_email, u.index_version),
            email_encrypted = auth.encrypt_text(v_email, u.encryption_version),
            -- A new address has yet to prove itself.
            email_verified_at = null,
            -- Somebody else's word for it must not be enough to take the account over at once.
            email_assigned_at = case when auth.request_claim('role') = 'user' then u.email_assigned_at else now() end,
            updated_at = now()
        where u.id = p_id;
        perform auth.void_emails(p_id);
        -- Three a day at most: who changes it to and fro, to an address of somebody else's, must not flood them.
        if v_old is not null and (
            select count(*) < 3
            from auth.email_events as ee
            where
                ee.user_id = p_id and ee.template = 'email_changed'
                and ee.created_at > now() - interval '1 day'
        ) then
            perform auth.queue_email(p_id, 'email_changed', p_email => v_old);
        end if;
        perform auth.write_audit('email.changed', p_id);
    end if;
    return query select * from auth.find_user(p_id);
end
$$;

comment on function auth.change_email(uuid, text, text) is
'Changes the address that a person logs in with; the new one has to be verified again. The old one is told of it (template email_changed, three a day at most), and emails that were sent or were to be sent there are void. If an admin or a DBA does it, nobody gets a token for a new password of this account for 24 hours: auth.users.email_assigned_at.
p_id: whose. p_email: the new address. p_password: the person''s, which a token with role user has to bring; null: an admin or a DBA needs none.
Returns the account; no row when there is none, and for a wrong password, which counts as a refused login: over HTTP 403.
Errors: 22023 for what is no address and for a null password with role user, PT404 for a person whose account is gone or locked, PT409 for an address that another account has, PT429 with the seconds to wait after too many refusals, PT503 without the data keys.';

revoke all on function auth.change_email(uuid, text, text) from public;
grant execute on function auth.change_email(uuid, text, text) to aqm_user, aqm_admin;

select gateway.expose(
    'PUT /users/{id}/email', 'auth.change_email', p_caller_argument => 'p_id', p_needs_keys => true, p_is_costly => true
);
