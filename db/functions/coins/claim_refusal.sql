create or replace function coins.claim_refusal(
    p_target_user_id uuid,
    p_requester_id uuid,
    p_coin_category text,
    p_count integer
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_target_user_id is null then
        return 'target_user_id must not be null';
    elsif p_requester_id is null then
        return 'requester_id must not be null';
    elsif (p_count between 1 and 100) is not true then
        return 'count must be between 1 and 100';
    elsif p_coin_category is null
        or not exists (select from coins.coin_category as cc where cc.name = p_coin_category)
    then
        return 'coin_category must be one of '
            || (select string_agg(cc.name, ', ' order by cc.name) from coins.coin_category as cc);
    end if;
    return null;
end
$$;

comment on function coins.claim_refusal(uuid, uuid, text, integer) is
'Says why a claim can''t be served, or null when it can: the one rule for claim_coins_batch(), and so for claim_coins(), and for claim_many().
p_target_user_id: the recipient. p_requester_id: the sender. p_coin_category: name of a category. p_count: coins wanted, 1 to 100.
Errors: none.';

revoke all on function coins.claim_refusal(uuid, uuid, text, integer) from public;
