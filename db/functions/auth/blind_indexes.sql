create or replace function auth.blind_indexes(
    p_text text
)
returns bytea[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return array(select auth.blind_index(p_text, dk.version) from auth.data_keys as dk where dk.kind = 'index');
end
$$;

comment on function auth.blind_indexes(text) is
'Works out all keyed hashes that a value may have, one for each version of the index key in use.
p_text: the value in its normal form.
Returns a list, empty in a new database.
Errors: PT503 as auth.data_key().';

revoke all on function auth.blind_indexes(text) from public;
