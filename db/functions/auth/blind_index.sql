create or replace function auth.blind_index(
    p_text text,
    p_version integer
)
returns bytea
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return crypto.hmac(convert_to(p_text, 'UTF8'), auth.data_key('index', p_version), 'sha256');
end
$$;

comment on function auth.blind_index(text, integer) is
'Works out the keyed hash by which an encrypted value is found (HMAC-SHA-256).
p_text: the value in its normal form. p_version: of the index key.
Returns 32 bytes.
Errors: PT503 as auth.data_key().';

revoke all on function auth.blind_index(text, integer) from public;
