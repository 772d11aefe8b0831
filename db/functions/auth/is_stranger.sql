create or replace function auth.is_stranger()
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return session_user = 'aqm_gateway_anon' and auth.request_claim('role') is distinct from 'admin';
end
$$;

comment on function auth.is_stranger() is
'Says whether somebody calls over HTTP of whom nothing is known; neither an admin nor psql.
Errors: none.';

revoke all on function auth.is_stranger() from public;
