create or replace function auth.end_session(
    p_session auth.sessions
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update auth.sessions as s
    set is_active = false, deleted_at = coalesce(s.deleted_at, clock_timestamp()), successor_encrypted = null
    where s.id = p_session.id;
    perform gateway.revoke_session(p_session.id, p_session.access_token_exp);
    perform auth.write_audit('session.ended', p_session.user_id, p_session.id);
end
$$;

comment on function auth.end_session(auth.sessions) is
'Ends a session; gateways refuse its tokens from then on.
p_session: which, locked by the caller.
Errors: none.';

revoke all on function auth.end_session(auth.sessions) from public;
