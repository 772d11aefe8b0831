create or replace function auth.spend_one_time_token(
    p_token text,
    p_purpose text
)
returns uuid
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_hash bytea;
    v_user_id uuid;
begin
    if (p_token ~ '^[A-Za-z0-9_-]{43}$') is not true then
        return null;
    end if;
    v_hash := sha256(decode(translate(p_token, '-_', '+/') || '=', 'base64'));
    -- First the person, then the token, as whoever changes an address or erases somebody: no deadlock.
    select u.id into v_user_id
    from auth.one_time_tokens as ott
    inner join auth.users as u on u.id = ott.user_id and u.is_active and u.deleted_at is null
    where ott.token_hash = v_hash and ott.purpose = p_purpose
    for no key update of u;
    update auth.one_time_tokens as ott set used_at = now()
    where ott.token_hash = v_hash and ott.user_id = v_user_id and ott.used_at is null and ott.expires_at > now();
    if not found then
        return null;
    end if;
    return v_user_id;
end
$$;

comment on function auth.spend_one_time_token(text, text) is
'Takes a token that is good once, and locks the person whose it is.
p_token: of auth.open_one_time_token(). p_purpose: email_check or password_reset.
Returns whose it is; null for one that is good no more, never was, or is for something else.
Errors: none.';

revoke all on function auth.spend_one_time_token(text, text) from public;
