create or replace function auth.request_password_reset(
    p_email text
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_email text;
    v_hashes bytea[];
    v_until timestamptz;
    v_id uuid;
    v_may_reset boolean;
    v_token text;
begin
    v_email := auth.normal_email(p_email);
    v_hashes := auth.blind_indexes(v_email);
    -- One at a time for each address, whether somebody has it or not: to wait for an account would tell that it is there.
    perform pg_advisory_xact_lock(hashtextextended(v_email, 4));
    v_until := clock_timestamp() + interval '50 milliseconds';

    select u.id, coalesce(u.email_assigned_at <= now() - interval '24 hours', true) into v_id, v_may_reset
    from auth.users as u
    where u.email_hash = any(v_hashes) and u.is_active and u.deleted_at is null
    for no key update;
    -- Else an admin would assign an address of their own and have the password of the account.
    if v_may_reset then
        v_token := auth.open_one_time_token(v_id, 'password_reset', interval '1 hour');
    end if;
    if v_token is not null then
        perform auth.queue_email(v_id, 'password_reset', p_secret => v_token);
    end if;
    -- In either case there is something to commit, and the answer comes at the same time.
    perform auth.write_audit('password.reset_requested', v_id);
    perform pg_sleep(extract(epoch from v_until - clock_timestamp()));
end
$$;

comment on function auth.request_password_reset(text) is
'Sends a person an email with a token for a new password, good once and for an hour; see auth.reset_password(). Whoever asks is not told whether there is such an account, nor by the time that it takes. While three tokens are open, and for 24 hours after an admin or a DBA changed the address, none is sent.
p_email: of the account.
Errors: 22023 for what is no address, PT503 without the data keys.';

revoke all on function auth.request_password_reset(text) from public;
grant execute on function auth.request_password_reset(text) to aqm_anon;

select gateway.expose(
    'POST /auth/password-reset', 'auth.request_password_reset', p_needs_keys => true, p_is_costly => true
);
