create or replace function auth.caller_address()
returns inet
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return nullif(current_setting('request.address', true), '')::inet;
end
$$;

comment on function auth.caller_address() is
'Names the network address of the caller; the gateway puts it into the setting request.address.
Returns null where nobody told, as in psql.
Errors: 22P02 for a setting that is no address.';

revoke all on function auth.caller_address() from public;
