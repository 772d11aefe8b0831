create or replace function coins.digest_claim(
    p_target_user_id uuid,
    p_coin_category text,
    p_count integer
)
returns bytea
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return sha256(convert_to(concat_ws(' ', p_target_user_id::text, p_coin_category, p_count::text), 'UTF8'));
end
$$;

comment on function coins.digest_claim(uuid, text, integer) is
'What a claim asked for, so that a retry is recognised without keeping who was asked for.
p_target_user_id: the recipient. p_coin_category: GOLD, SILVER or BRONZE. p_count: coins wanted.
Returns the SHA-256.
Errors: none.';

revoke all on function coins.digest_claim(uuid, text, integer) from public;
