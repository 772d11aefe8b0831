create or replace function auth.refresh(
    p_refresh_token text
)
returns setof auth.tokens
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
declare
    v_token bytea;
    v_session auth.sessions;
begin
    if (p_refresh_token ~ '^[A-Za-z0-9_-]{64}$') is not true then
        perform set_config('response.status', '401 the refresh token is not good, or not any more', true);
        return;
    end if;
    v_token := decode(translate(p_refresh_token, '-_', '+/'), 'base64');
    -- The family and not the token: of those that come at once with one token all must find the row that one changes.
    select s.* into v_session
    from auth.sessions as s
    where s.family_hash = sha256(substr(v_token, 1, 16))
    for update;
    if not found or not v_session.is_active or v_session.expires_at < now() then
        perform set_config('response.status', '401 the refresh token is not good, or not any more', true);
        return;
    elsif not exists (
        select from auth.users as u where u.id = v_session.user_id and u.is_active and u.deleted_at is null
    ) then
        perform set_config('response.status', '401 the refresh token is not good, or not any more', true);
        return;
    elsif v_session.refresh_token_hash = sha256(v_token) then
        return query select * from auth.rotate_token(v_session, v_token);
    elsif v_session.previous_token_hash = sha256(v_token)
        and v_session.rotated_at > clock_timestamp() - interval '10 seconds'
    then
        -- The answer was lost: the same child once more.
        return query select * from auth.make_tokens(
            v_session,
            crypto.pgp_sym_decrypt_bytea(v_session.successor_encrypted, encode(v_token, 'hex'))
        );
    else
        -- Somebody has a token that was used: thief or victim, neither may go on.
        perform auth.write_audit('session.token_reused', v_session.user_id, v_session.id);
        perform auth.end_session(v_session);
        perform set_config('response.status', '401 the refresh token is not good, or not any more', true);
    end if;
end
$$;

comment on function auth.refresh(text) is
'Exchanges a refresh token for new tokens. It is good once; within 10 seconds it may be shown again, for an answer that was lost, and gives the same. One that was used before ends its session.
p_refresh_token: of auth.login() or of the last refresh.
Returns the tokens; no row, over HTTP 401, for a token that is good no more.
Errors: none.';

revoke all on function auth.refresh(text) from public;
grant execute on function auth.refresh(text) to aqm_anon;

select gateway.expose('POST /auth/refresh', 'auth.refresh');
