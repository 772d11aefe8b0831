create or replace function auth.reset_password(
    p_token text,
    p_new_password text,
    out changed boolean
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_id constant uuid := auth.spend_one_time_token(p_token, 'password_reset');
begin
    changed := v_id is not null;
    if not changed then
        perform set_config('response.status', '401 the token is not good, or not any more', true);
        return;
    end if;
    update auth.users as u set password_hash = auth.hash_password(p_new_password), updated_at = now()
    where u.id = v_id;
    -- As a login does: who proved to be the owner is let in, whoever guessed before.
    insert into auth.login_attempts (email_hash, address, user_id, is_success)
    select u.email_hash, auth.address_block(auth.caller_address()), u.id, true
    from auth.users as u
    where u.id = v_id;
    delete from auth.one_time_tokens as ott where ott.user_id = v_id and ott.purpose = 'password_reset';
    perform auth.write_audit('password.reset', v_id);
    perform auth.end_sessions(v_id);
end
$$;

comment on function auth.reset_password(text, text) is
'Sets a new password with the token of an email, and ends all sessions of the person; their other tokens for this are void.
p_token: of the email that auth.request_password_reset() sends. p_new_password: 8 to 1000 characters, not all of them invisible.
Returns whether it was changed; a token that is not good is 401 over HTTP, and leaves no trace that anybody could fill the audit with.
Errors: 22023 for a password that is too short, too long or invisible; the token stays good.';

revoke all on function auth.reset_password(text, text) from public;
grant execute on function auth.reset_password(text, text) to aqm_anon;

select gateway.expose('PUT /auth/password-reset', 'auth.reset_password', p_is_costly => true);
