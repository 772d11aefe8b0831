create or replace function coins.digests(
    p_values bytea[]
)
returns bigint[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
    -- All in one call: a call for each would cost an upload more than the digests themselves.
    return (
        select array_agg(('x' || left(encode(sha256(v.value), 'hex'), 16))::bit(64)::bigint)
        from (select unnest(p_values) as value) as v
    );
end
$$;

comment on function coins.digests(bytea[]) is
'Of each key or key''s name the first eight bytes of the SHA-256, as a number: enough to tell one user''s coins apart.
p_values: the bytes of each.
Returns the numbers in the order of the values; null for none.
Errors: none.';

revoke all on function coins.digests(bytea[]) from public;
