create or replace function auth.prove_key(
    p_key bytea
)
returns bytea
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return crypto.hmac('aqm data key'::bytea, p_key, 'sha256');
end
$$;

comment on function auth.prove_key(bytea) is
'Works out what the database keeps of a data key, to know it again.
p_key: 32 bytes.
Returns 32 bytes, that don''t tell the key.
Errors: none.';

revoke all on function auth.prove_key(bytea) from public;
