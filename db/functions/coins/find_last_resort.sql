create or replace function coins.find_last_resort(
    p_user_id uuid,
    p_coin_category text
)
returns setof coins.given_coin
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select lr.key_id::text, lr.coin_category::text, lr.public_key_blob, lr.signature_blob, true
    from coins.last_resort_coin as lr
    where lr.user_id = p_user_id and lr.coin_category = p_coin_category;
end
$$;

comment on function coins.find_last_resort(uuid, text) is
'Gives a user''s last-resort coin of a category, if there is one.
p_user_id: whose coin. p_coin_category: GOLD, SILVER or BRONZE.
Errors: none.';

revoke all on function coins.find_last_resort(uuid, text) from public;
