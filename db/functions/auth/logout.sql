create or replace function auth.logout()
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_session auth.sessions;
begin
    select s.* into v_session
    from auth.sessions as s
    where s.id = auth.request_claim('sid')::uuid and s.is_active
    for update;
    if not found then
        raise exception using errcode = 'PT404', message = 'this token belongs to no session',
            hint = 'auth.revoke_session() ends any, without a token';
    end if;
    perform auth.end_session(v_session);
end
$$;

comment on function auth.logout() is
'Ends the session of the token that the call is made with.
Errors: PT404 for a token of no session.';

revoke all on function auth.logout() from public;
grant execute on function auth.logout() to aqm_device, aqm_user, aqm_worker, aqm_admin;

select gateway.expose('POST /auth/logout', 'auth.logout');
