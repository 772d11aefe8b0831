create or replace function auth.open_one_time_token(
    p_user_id uuid,
    p_purpose text,
    p_lasts interval
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_token constant bytea := crypto.gen_random_bytes(32);
    v_open bigint;
begin
    select count(*) into v_open
    from auth.one_time_tokens as ott
    where
        ott.user_id = p_user_id and ott.purpose = p_purpose
        and ott.used_at is null and ott.expires_at > now();
    if v_open >= 3 then
        return null;
    end if;
    insert into auth.one_time_tokens (token_hash, user_id, purpose, expires_at)
    values (sha256(v_token), p_user_id, p_purpose, now() + p_lasts);
    return translate(encode(v_token, 'base64'), '+/=', '-_');
end
$$;

comment on function auth.open_one_time_token(uuid, text, interval) is
'Makes a token that is good once.
p_user_id: for whom, locked by the caller. p_purpose: email_check or password_reset. p_lasts: for how long it is good.
Returns 32 random bytes in base64url, of which the database keeps a hash alone; null when the person has three that are open.
Errors: 23514 for another purpose.';

revoke all on function auth.open_one_time_token(uuid, text, interval) from public;
