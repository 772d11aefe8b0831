create or replace function auth.list_data_keys(
    out kind text,
    out version integer,
    out is_current boolean,
    out proof bytea
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select dk.kind, dk.version, dk.is_current, dk.proof from auth.data_keys as dk order by dk.kind, dk.version;
end
$$;

comment on function auth.list_data_keys() is
'Lists the data keys that the data was written with, so that a gateway can tell whether it has them all before anybody logs in. A proof tells a key again and doesn''t tell the key (auth.prove_key()).
Returns a row for each version that was not forgotten; none in a database that has encrypted nothing yet.
Errors: none.';

revoke all on function auth.list_data_keys() from public;
grant execute on function auth.list_data_keys() to aqm_gateway;
