create or replace function coins.upload_coins(
    p_user_id uuid,
    p_coins coins.coin_upload[],
    p_epoch bigint default null,
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
    v_places integer[];
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
    -- Before the epoch is read: an upload that waits for a fence must see what that has raised.
    lock table coins.coin_inventory in row exclusive mode;
    perform coins.lock_user(p_user_id);
    perform coins.check_epoch(p_epoch);

    -- Skipped, so that a retry is safe: what is in stock or spent, by name or by public key. One statement, one
    -- snapshot: a coin that moves from stock to spent meanwhile is seen in one of them.
    with known as materialized (
        select k.digest from coins.list_known_digests(p_user_id) as k
    ),

    sent as materialized (
        select
            c.place::integer as place,
            c.key_id,
            coins.digest(convert_to(c.key_id, 'UTF8')) as key_digest,
            coins.digest(c.public_key_blob) as public_key_digest,
            row_number() over (partition by c.key_id order by c.place) as nth_of_name
        from
            unnest(p_coins)
            with ordinality as c (key_id, coin_category, public_key_blob, signature_blob, place)
    ),

    fresh as (
        select
            s.place,
            row_number() over (partition by s.public_key_digest order by s.place) as nth_of_key
        from sent as s
        where
            s.nth_of_name = 1
            and s.key_digest not in (select k.digest from known as k)
            and s.public_key_digest not in (select k.digest from known as k)
            and not exists (
                select from coins.coin_inventory as ci where ci.user_id = p_user_id and ci.key_id = s.key_id
            )
    )

    select array_agg(f.place)
    into v_places
    from fresh as f
    where f.nth_of_key = 1;

    -- Asked before anything is written: a refusal that rolls back a thousand rows is an attack at no cost.
    select cc.name, cc.max_unclaimed into v_category
    from (
        select c.coin_category, count(*) as coins
        from
            unnest(p_coins)
            with ordinality as c (key_id, coin_category, public_key_blob, signature_blob, place)
        where c.place = any(v_places)
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
    where c.place = any(v_places)
    order by c.place
    on conflict on constraint uq_user_key do nothing;
    get diagnostics inserted = row_count;
end
$$;

comment on function coins.upload_coins(uuid, coins.coin_upload[], bigint) is
'Stores the public halves of a user''s new coins, all or none. A coin is skipped, so that a retry is safe, when its key_id or its public key is in stock, was issued before, or is a last-resort coin.
p_user_id: whose coins they are. p_coins: at most 1000 coins, each with the exact sizes of its category in bytes. p_epoch: the epoch that the device knows, from coin_status(); null: not checked.
Returns how many were stored.
Errors: 22023 naming the element for an unknown category, an empty or over-long key_id, a wrong size; PT413 for a blob larger than any category allows; PT409 when a category would exceed its cap of unclaimed coins, or, with constraint "epoch", when the epoch is another, or in a transaction that is not READ COMMITTED.';

revoke all on function coins.upload_coins(uuid, coins.coin_upload[], bigint) from public;
grant execute on function coins.upload_coins(uuid, coins.coin_upload[], bigint) to aqm_device;

select gateway.expose(
    'POST /v1/coins/upload',
    'coins.upload_coins',
    p_caller_argument => 'p_user_id'
);
