create or replace function auth.rotate_token(
    p_session auth.sessions,
    p_token bytea
)
returns setof auth.tokens
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    -- Not now(), which is older than the lock that was waited for.
    v_now constant timestamptz := clock_timestamp();
    v_child constant bytea := substr(p_token, 1, 16) || crypto.gen_random_bytes(32);
    v_session auth.sessions;
begin
    update auth.sessions as s
    set
        previous_token_hash = s.refresh_token_hash,
        refresh_token_hash = sha256(v_child),
        successor_encrypted = crypto.pgp_sym_encrypt_bytea(
            v_child, encode(p_token, 'hex'), 'cipher-algo=aes256, compress-algo=0, s2k-mode=1'
        ),
        rotated_at = v_now,
        last_active = v_now,
        access_token_exp = v_now + interval '15 minutes',
        expires_at = v_now + interval '30 days'
    where s.id = p_session.id
    returning s.* into v_session;
    return query select * from auth.make_tokens(v_session, v_child);
end
$$;

comment on function auth.rotate_token(auth.sessions, bytea) is
'Gives a session its next refresh token.
p_session: the session, locked by the caller. p_token: the token until now, which alone opens what is kept of the next.
Returns the tokens.
Errors: none.';

revoke all on function auth.rotate_token(auth.sessions, bytea) from public;
