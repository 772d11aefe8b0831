create or replace function coins.upload_coins(
    p_user_id uuid,
    p_coins coins.coin_upload[],
    out inserted integer
)
returns integer
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_refusal record;
    v_category record;
begin
    if p_user_id is null or p_coins is null then
        raise exception using errcode = 'invalid_parameter_value',
            message = case when p_user_id is null then 'user_id' else 'coins' end || ' must not be null';
    elsif cardinality(p_coins) > 1000 then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'coins must have at most 1000 elements';
    end if;

    select r.error_code, r.error_message into v_refusal from coins.upload_refusal(p_coins) as r;
    if found then
        raise exception using errcode = v_refusal.error_code, message = v_refusal.error_message;
    end if;

    -- Uploads of one user queue up: two at once could each stay under the cap and together exceed it.
    perform pg_advisory_xact_lock(hashtextextended('coins.upload_coins ' || p_user_id, 0));

    -- Asked before anything is written: a refusal that rolls back a thousand rows is an attack at no cost.
    -- A retry that adds nothing passes, however full the inventory is.
    select cc.name, cc.max_unclaimed into v_category
    from (
        select c.coin_category, count(distinct c.key_id) as coins
        from unnest(p_coins) as c
        where not exists (
            select from coins.coin_inventory as ci where ci.user_id = p_user_id and ci.key_id = c.key_id
        )
        group by c.coin_category
    ) as added
    inner join coins.coin_category as cc on cc.name = added.coin_category
    where
        cc.max_unclaimed < added.coins + (
            select count(*) from coins.coin_inventory as ci
            where ci.user_id = p_user_id and ci.coin_category = cc.name and ci.fetched_by is null
        )
    order by cc.name
    limit 1;
    if found then
        raise exception using errcode = 'PT409',
            message = format(
                'a user may have at most %s unclaimed %s coins', v_category.max_unclaimed, v_category.name
            ),
            hint = 'Nothing was stored. Ask for the count first and upload what is missing.';
    end if;

    insert into coins.coin_inventory (user_id, key_id, coin_category, public_key_blob, signature_blob)
    select p_user_id, c.key_id, c.coin_category, c.public_key_blob, c.signature_blob
    from
        unnest(p_coins)
        with ordinality as c (key_id, coin_category, public_key_blob, signature_blob, place)
    order by c.place
    on conflict on constraint uq_user_key do nothing;
    get diagnostics inserted = row_count;
end
$$;

comment on function coins.upload_coins(uuid, coins.coin_upload[]) is
'Stores the public halves of a user''s new coins, all or none; a coin whose key_id the user has uploaded before is skipped, so that a retry is safe.
p_user_id: whose coins they are. p_coins: at most 1000 coins, each with the exact sizes of its category in bytes.
Returns how many were stored.
Errors: 22023 naming the element for an unknown category, an empty or over-long key_id, a wrong size; PT413 for a blob larger than any category allows; PT409 when a category would exceed its cap of unclaimed coins.';

revoke all on function coins.upload_coins(uuid, coins.coin_upload[]) from public;
grant execute on function coins.upload_coins(uuid, coins.coin_upload[]) to aqm_device;

select gateway.expose(
    'POST /v1/coins/upload',
    'coins.upload_coins',
    p_caller_argument => 'p_user_id'
);
