create or replace function auth.void_tokens(
    p_user_id uuid
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_session auth.sessions;
begin
    for v_session in
        select s.*
        from auth.sessions as s
        where s.user_id = p_user_id and s.is_active and s.deleted_at is null
        order by s.id
        -- A refresh that is under way is waited for: the token that it gives is void as well.
        for update
    loop
        perform gateway.revoke_session(v_session.id, v_session.access_token_exp);
    end loop;
end
$$;

comment on function auth.void_tokens(uuid) is
'Makes gateways refuse the access tokens that a person has now; the sessions go on, and a refresh gives good ones.
p_user_id: whose.
Errors: none.';

revoke all on function auth.void_tokens(uuid) from public;
