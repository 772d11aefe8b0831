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
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    -- Plans are generic, since one made for these coins would hold copies of them, and know no sequential scan, since one
    -- from the time when there were no coins must serve when there are many. Coins are gone through by unnest() beside
    -- generate_series() in the select list: in FROM each way through them would write them all down again.
    v_refusal record;
    v_name_digests bigint[];
    v_public_key_digests bigint[];
    v_sent record;
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
    if p_epoch is not null then
        perform coins.check_epoch(p_epoch);
    end if;

    v_name_digests := coins.digests(
        array(select convert_to((s.coin).key_id, 'UTF8') from (select unnest(p_coins) as coin) as s)
    );
    v_public_key_digests := coins.digests(
        array(select (s.coin).public_key_blob from (select unnest(p_coins) as coin) as s)
    );

    -- Skipped, so that a retry is safe: what is in stock or spent, by name or by public key. One statement, one
    -- snapshot: a coin that moves from stock to spent meanwhile is seen in one of them.
    with stock as materialized (
        select ci.key_id, ci.coin_category, ci.public_key_digest, ci.fetched_by is null as is_unclaimed
        from coins.coin_inventory as ci
        where ci.user_id = p_user_id
    ),

    spent as materialized (
        select s.digest from coins.list_spent_digests(p_user_id) as s
    ),

    -- Of coins with one name the first; the others are skipped, whatever becomes of it.
    named as (
        select distinct on (s.name_digest) s.*
        from (
            select
                c.place,
                (c.coin).key_id,
                (c.coin).coin_category,
                v_name_digests[c.place] as name_digest,
                v_public_key_digests[c.place] as public_key_digest
            from (select generate_series(1, cardinality(p_coins)) as place, unnest(p_coins) as coin) as c
        ) as s
        order by s.name_digest, s.place
    ),

    -- Of those with one public key the first that is not known.
    fresh as materialized (
        select distinct on (n.public_key_digest) n.place, n.coin_category
        from named as n
        where
            n.key_id not in (select k.key_id from stock as k)
            and n.public_key_digest not in (select k.public_key_digest from stock as k)
            and n.name_digest not in (select k.digest from spent as k)
            and n.public_key_digest not in (select k.digest from spent as k)
        order by n.public_key_digest, n.place
    ),

    -- Asked before anything is written: a refusal that rolls back a thousand rows is an attack at no cost.
    overfull as (
        select cc.name, cc.max_unclaimed
        from (
            select f.coin_category, count(*) as coins from fresh as f group by f.coin_category
        ) as added
        inner join coins.coin_category as cc on cc.name = added.coin_category
        where
            cc.max_unclaimed < added.coins + (
                select count(*) from stock as k where k.is_unclaimed and k.coin_category = cc.name
            )
        order by cc.name
        limit 1
    )

    select a.is_fresh, o.name, o.max_unclaimed
    into v_sent
    from (
        select array(
            select p.place in (select f.place from fresh as f) from generate_series(1, cardinality(p_coins)) as p (place)
        ) as is_fresh
    ) as a
    left join overfull as o on true;
    if v_sent.name is not null then
        raise exception using errcode = 'PT409',
            message = format('a user may have at most %s unclaimed %s coins', v_sent.max_unclaimed, v_sent.name),
            hint = 'Nothing was stored. Ask for the count first and upload what is missing.';
    end if;

    -- In the order in which they came, and without ON CONFLICT, which writes twice: behind lock_user() nobody else uploads.
    insert into coins.coin_inventory (
        user_id, key_id, coin_category, public_key_blob, signature_blob, public_key_digest
    )
    select
        p_user_id,
        (c.coin).key_id,
        (c.coin).coin_category,
        (c.coin).public_key_blob,
        (c.coin).signature_blob,
        v_public_key_digests[c.place]
    from (select generate_series(1, cardinality(p_coins)) as place, unnest(p_coins) as coin) as c
    where v_sent.is_fresh[c.place];
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
