create or replace function auth.request_claim(
    p_name text
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return nullif(current_setting('request.claims', true), '')::jsonb ->> p_name;
end
$$;

comment on function auth.request_claim(text) is
'Reads what the caller''s token says; the gateway puts it into the setting request.claims.
p_name: sub, role or sid.
Returns null without a token, as in psql.
Errors: none.';

revoke all on function auth.request_claim(text) from public;
