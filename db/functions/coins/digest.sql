create or replace function coins.digest(
    p_value bytea
)
returns bigint
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return ('x' || left(encode(sha256(p_value), 'hex'), 16))::bit(64)::bigint;
end
$$;

comment on function coins.digest(bytea) is
'The first eight bytes of the SHA-256 of a key or a key''s name, as a number: enough to tell one user''s coins apart.
p_value: the bytes.
Errors: none.';

revoke all on function coins.digest(bytea) from public;
