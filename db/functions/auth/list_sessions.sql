create or replace function auth.list_sessions(
    p_user_id uuid,
    p_after uuid default null,
    p_limit integer default 100
)
returns setof auth.session_view
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
begin
    if (p_limit between 1 and 1000) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be between 1 and 1000';
    end if;

    return query
    select
        s.id, s.role, s.subject, s.device_type, s.device_name, s.created_at, s.last_active, s.expires_at
    from auth.sessions as s
    where
        s.user_id = p_user_id and s.is_active and s.deleted_at is null and s.expires_at > now()
        and (p_after is null or s.id > p_after)
    order by s.id
    limit p_limit;
end
$$;

comment on function auth.list_sessions(uuid, uuid, integer) is
'Lists the open sessions of a person.
p_user_id: whose. p_after: the last id of the page before; null: from the beginning. p_limit: 1 to 1000.
Returns sessions by id.
Errors: 22023 for an argument out of range.';

revoke all on function auth.list_sessions(uuid, uuid, integer) from public;
grant execute on function auth.list_sessions(uuid, uuid, integer) to aqm_user, aqm_admin;

select gateway.expose('GET /sessions', 'auth.list_sessions', 'sessions', p_caller_argument => 'p_user_id');
