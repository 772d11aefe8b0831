create or replace function auth.login(
    p_email text,
    p_password text,
    p_role text default 'user',
    p_device_name text default null,
    p_device_type text default null,
    p_browser_fingerprint text default null
)
returns setof auth.tokens
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_email text;
    v_hashes bytea[];
    v_id uuid;
    v_email_hash bytea;
    v_password_hash text;
    v_is_active boolean;
    v_is_good boolean;
begin
    -- Planned anew each time, which is nothing beside the password: a plan from the time when there was nobody would read
    -- all people by whatever partial index comes first.
    v_email := auth.normal_email(p_email);
    if (p_role in ('device', 'user', 'worker', 'admin')) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'role must be device, user, worker or admin';
    elsif (p_role = 'device') <> (p_device_name is not null) then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'device_name must be there for role device, and for no other';
    elsif p_password is null or char_length(p_password) > 1000 then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'password must have at most 1000 characters';
    end if;
    perform auth.check_texts(p_device_name, p_device_type, p_browser_fingerprint);
    v_hashes := auth.blind_indexes(v_email);
    -- One at a time for each account, or guesses that come at once would be counted too late.
    perform pg_advisory_xact_lock(hashtextextended(v_email, 3));
    perform auth.check_lockout(v_hashes);

    select u.id, u.password_hash, u.is_active, u.email_hash into v_id, v_password_hash, v_is_active, v_email_hash
    from auth.users as u
    where u.email_hash = any(v_hashes) and u.deleted_at is null;
    v_is_good := auth.is_password(p_password, v_password_hash) and v_is_active;
    if v_is_good then
        -- Locked, and looked at again: who deletes the account or takes a role back meanwhile must find this session.
        perform from auth.users as u
        where u.id = v_id and u.password_hash = v_password_hash and u.is_active and u.deleted_at is null
        for share;
        v_is_good := found;
    end if;

    -- A refusal leaves a trace: a RAISE would undo it.
    insert into auth.login_attempts (email_hash, address, user_id, is_success)
    values (
        -- The account's own where there is one: while index keys are rotated, all guesses at it count together.
        coalesce(v_email_hash, auth.blind_index(v_email, auth.current_key('index'))),
        auth.address_block(auth.caller_address()), v_id, v_is_good
    );
    if not v_is_good then
        perform auth.write_audit('login.refused', v_id);
        perform set_config('response.status', '401 the email or the password is wrong', true);
        return;
    elsif p_role in ('worker', 'admin') and not auth.has_role(v_id, 'aqm', p_role) then
        perform auth.write_audit('login.role_refused', v_id, p_detail => jsonb_build_object('role', p_role));
        perform set_config('response.status', '403 the account has not the role of that name', true);
        return;
    end if;
    if v_password_hash not like format('$2a$%s$%%', auth.password_cost()) then
        -- Made when hashes were cheaper, or dearer.
        update auth.users as u set password_hash = auth.hash_password(p_password) where u.id = v_id;
    end if;
    return query
    select * from auth.open_session(v_id, p_role, p_device_name, p_device_type, p_browser_fingerprint);
end
$$;

comment on function auth.login(text, text, text, text, text, text) is
'Logs a person in: opens a session and gives its first tokens.
p_email, p_password: of the account. p_role: of the access token: user; device, for a key store of the person, whose id becomes the subject; worker or admin, for who has the role aqm/worker or aqm/admin. p_device_name: tells a person''s key stores apart, with role device alone. p_device_type: what it runs on, at most 50 bytes. p_browser_fingerprint: at most 200 bytes.
Returns the tokens. An unknown address and a wrong password leave a trace and give no row, after the same time: over HTTP 401; so does the login of a worker or an admin by somebody else: over HTTP 403.
Errors: 22023 for a malformed argument, PT409 for more than 10 new devices in 30 days, PT429 with the seconds to wait after too many refusals, PT503 without the data keys.';

revoke all on function auth.login(text, text, text, text, text, text) from public;
grant execute on function auth.login(text, text, text, text, text, text) to aqm_anon;

-- A password takes a core for a tenth of a second, which is at the cost of everybody's claims.
select gateway.expose('POST /auth/login', 'auth.login', p_needs_keys => true, p_is_costly => true);
