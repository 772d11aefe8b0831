create or replace function coins.fence_inventory(
    p_uploaded_before timestamptz,
    out dropped bigint,
    out epoch bigint
)
returns record
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Nobody claims or uploads until it is done: a coin that slips through may have been issued before.
    lock table coins.coin_inventory in exclusive mode;
    perform coins.add_spent_month(now()::date);

    with gone as (
        delete from coins.coin_inventory as ci
        where ci.fetched_by is null and (p_uploaded_before is null or ci.uploaded_at < p_uploaded_before)
        returning ci.user_id, ci.key_id, ci.public_key_digest
    ),

    remembered as (
        insert into coins.spent_coin as sc (user_id, month, digests)
        select
            g.user_id,
            date_trunc('month', now()),
            coins.digests(array_agg(convert_to(g.key_id, 'UTF8'))) || array_agg(g.public_key_digest)
        from gone as g
        group by g.user_id
        order by g.user_id
        on conflict on constraint pk_spent_coin do update set digests = sc.digests || excluded.digests
    )

    select count(*) into dropped from gone;

    -- The time is in it: after a second restore of the same backup it must not be a number that devices know.
    update coins.epoch as e
    set number = greatest(e.number + 1, extract(epoch from clock_timestamp())::bigint), raised_at = now()
    returning e.number into epoch;
    perform pg_notify('coins_stock', '*');
end
$$;

comment on function coins.fence_inventory(timestamptz) is
'Drops every unclaimed coin that may have been issued in a time that a restore has lost, remembers it as spent and raises the epoch: devices then mint afresh.
p_uploaded_before: when the restored database was opened to the world: coins uploaded since are safe; null: it is not open yet.
Returns how many coins were dropped and the new epoch.
Errors: none.';

revoke all on function coins.fence_inventory(timestamptz) from public;
grant execute on function coins.fence_inventory(timestamptz) to aqm_ops_owner;
