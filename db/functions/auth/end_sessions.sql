create or replace function auth.end_sessions(
    p_user_id uuid,
    p_but uuid default null,
    p_role text default null,
    out ended bigint
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_session auth.sessions;
begin
    ended := 0;
    for v_session in
        select s.*
        from auth.sessions as s
        where
            s.user_id = p_user_id and s.is_active and s.deleted_at is null
            and s.id is distinct from p_but
            and (p_role is null or s.role = p_role)
        order by s.id
        for update
    loop
        perform auth.end_session(v_session);
        ended := ended + 1;
    end loop;
end
$$;

comment on function auth.end_sessions(uuid, uuid, text) is
'Ends the sessions of a person.
p_user_id: whose. p_but: this one goes on; null: none. p_role: only those of this role; null: all.
Returns how many.
Errors: none.';

revoke all on function auth.end_sessions(uuid, uuid, text) from public;
