create or replace function auth.caller()
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return coalesce(auth.request_claim('sub'), session_user::text);
end
$$;

comment on function auth.caller() is
'Names who calls: the subject of the token, without one the login of the database.
Errors: none.';

revoke all on function auth.caller() from public;
