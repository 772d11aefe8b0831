create or replace function coins.list_spent_digests(
    p_user_id uuid,
    out digest bigint
)
returns setof bigint
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select unnest(sc.digests) from coins.spent_coin as sc where sc.user_id = p_user_id
    union all
    select unnest(coins.digests(array[convert_to(lr.key_id, 'UTF8'), lr.public_key_blob]))
    from coins.last_resort_coin as lr
    where lr.user_id = p_user_id;
end
$$;

comment on function coins.list_spent_digests(uuid) is
'Lists what a user may not upload again although it is not in stock, as coins.digests(): names and public keys of spent coins and of last-resort coins.
p_user_id: whose coins.
Errors: none.';

revoke all on function coins.list_spent_digests(uuid) from public;
