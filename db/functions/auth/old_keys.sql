create or replace function auth.old_keys(
    p_kind text
)
returns integer[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return array(
        select dk.version from auth.data_keys as dk where dk.kind = p_kind and not dk.is_current order by dk.version
    );
end
$$;

comment on function auth.old_keys(text) is
'Lists the versions of a data key that are still known but not written with any more.
p_kind: encryption or index.
Errors: none.';

revoke all on function auth.old_keys(text) from public;
