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
    v_sent record;
    v_digests bigint[];
    v_is_fresh boolean[];
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

    -- Lists beside each other, so that the blobs are gone through as seldom as can be.
    select
        array_agg(c.key_id) as key_ids,
        array_agg(convert_to(c.key_id, 'UTF8')) as names,
        array_agg(c.coin_category) as categories,
        array_agg(c.public_key_blob) as public_keys
    into v_sent
    from unnest(p_coins) as c;
    v_digests := coins.digests(v_sent.public_keys);

    -- Skipped, so that a retry is safe: what is in stock or spent, by name or by public key. One statement, one
    -- snapshot: a coin that moves from stock to spent meanwhile is seen in one of them.
    with known as materialized (
        select k.digest from coins.list_known_digests(p_user_id) as k
    ),

    sent as (
        select
            s.place,
            s.public_key_digest,
            row_number() over (partition by s.key_id order by s.place) = 1
            and s.name_digest not in (select k.digest from known as k)
            and s.public_key_digest not in (select k.digest from known as k)
            and not exists (
                select from coins.coin_inventory as ci where ci.user_id = p_user_id and ci.key_id = s.key_id
            ) as is_unknown
        from
            unnest(v_sent.key_ids, coins.digests(v_sent.names), v_digests)
            with ordinality as s (key_id, name_digest, public_key_digest, place)
    ),

    fresh as (
        select
            s.place,
            s.is_unknown and row_number() over (
                partition by s.is_unknown, s.public_key_digest order by s.place
            ) = 1 as is_fresh
        from sent as s
    )

    select array_agg(f.is_fresh order by f.place)
    into v_is_fresh
    from fresh as f;

    -- Asked before anything is written: a refusal that rolls back a thousand rows is an attack at no cost.
    select cc.name, cc.max_unclaimed into v_category
    from (
        select s.coin_category, count(*) as coins
        from unnest(v_sent.categories, v_is_fresh) as s (coin_category, is_fresh)
        where s.is_fresh
        group by s.coin_category
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

    -- In the order in which they came, and without ON CONFLICT, which writes twice: behind lock_user() nobody else uploads.
    insert into coins.coin_inventory (
        user_id, key_id, coin_category, public_key_blob, signature_blob, public_key_digest
    )
    select
        p_user_id, c.key_id, c.coin_category, c.public_key_blob, c.signature_blob, v_digests[c.place]
    from
        unnest(p_coins)
        with ordinality as c (key_id, coin_category, public_key_blob, signature_blob, place)
    where v_is_fresh[c.place];
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
