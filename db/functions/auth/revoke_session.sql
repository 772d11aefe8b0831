create or replace function auth.revoke_session(
    p_id uuid,
    p_user_id uuid
)
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
    where s.id = p_id and s.user_id = p_user_id and s.is_active
    for update;
    if not found then
        raise exception using errcode = 'PT404', message = 'there is no such session';
    end if;
    perform auth.end_session(v_session);
end
$$;

comment on function auth.revoke_session(uuid, uuid) is
'Ends a session of a person; every gateway refuses its tokens within a second.
p_id: which. p_user_id: whose.
Errors: PT404 when the person has no such open session.';

revoke all on function auth.revoke_session(uuid, uuid) from public;
grant execute on function auth.revoke_session(uuid, uuid) to aqm_user, aqm_admin;

select gateway.expose('DELETE /sessions/{id}', 'auth.revoke_session', p_caller_argument => 'p_user_id');
