create or replace function coins.list_known_digests(
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
    select ci.public_key_digest from coins.coin_inventory as ci where ci.user_id = p_user_id
    union all
    select s.digest from coins.list_spent_digests(p_user_id) as s;
end
$$;

comment on function coins.list_known_digests(uuid) is
'Lists what a user may not upload again, as coins.digests(): public keys in stock, names and public keys of spent coins and of last-resort coins. In one snapshot: a coin is in stock or spent, never neither.
p_user_id: whose coins.
Errors: none.';

revoke all on function coins.list_known_digests(uuid) from public;
