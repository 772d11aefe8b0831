create or replace function coins.recall_coins(
    p_target_user_id uuid,
    p_requester_id uuid,
    p_key_ids text[],
    out error_code text,
    out error_message text,
    out key_id text,
    out coin_category text,
    out public_key_blob bytea,
    out signature_blob bytea
)
returns setof record
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select null::text, null::text, ci.key_id::text, ci.coin_category::text, ci.public_key_blob, ci.signature_blob
    from unnest(p_key_ids) with ordinality as given (key_id, place)
    inner join coins.coin_inventory as ci
        on ci.user_id = p_target_user_id and ci.key_id = given.key_id and ci.fetched_by = p_requester_id
    where not exists (
        select from unnest(p_key_ids) as asked (key_id)
        where not exists (
            select from coins.coin_inventory as held
            where
                held.user_id = p_target_user_id
                and held.key_id = asked.key_id
                and held.fetched_by = p_requester_id
        )
    )
    order by given.place;
    if not found and cardinality(p_key_ids) > 0 then
        return query
        select 'PT410', 'the coins of this request are deleted', null::text, null::text, null::bytea, null::bytea;
    end if;
end
$$;

comment on function coins.recall_coins(uuid, uuid, text[]) is
'Gives a sender the coins again that it has claimed before.
p_target_user_id: the recipient. p_requester_id: the sender. p_key_ids: the coins, in the order of the first answer.
Returns the coins in that order; when one of them is hard-deleted only a row with error_code PT410.
Errors: none.';

revoke all on function coins.recall_coins(uuid, uuid, text[]) from public;
