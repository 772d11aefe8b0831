create or replace function auth.current_key(
    p_kind text
)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_version integer;
begin
    select dk.version into v_version from auth.data_keys as dk where dk.kind = p_kind and dk.is_current;
    if v_version is null then
        -- The first row ever: it is written with the first key.
        perform auth.use_data_key(p_kind, 1);
        v_version := 1;
    end if;
    return v_version;
end
$$;

comment on function auth.current_key(text) is
'Says which version of a data key is written with.
p_kind: encryption or index.
Returns the version; in a new database 1, which is used from then on.
Errors: PT503 as auth.use_data_key().';

revoke all on function auth.current_key(text) from public;
