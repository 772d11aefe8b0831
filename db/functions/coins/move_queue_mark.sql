create or replace function coins.move_queue_mark(
    p_user_id uuid,
    p_coin_category text,
    p_after timestamptz,
    p_after_record_id bigint
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
begin
    -- Nobody waits for a hint: where another claim is just moving this mark, it moves enough for both.
    if not pg_try_advisory_xact_lock(hashtextextended(format('coins.queue_mark %s %s', p_user_id, p_coin_category), 0)) then
        return;
    end if;

    insert into coins.queue_mark as qm (user_id, coin_category, uploaded_at, record_id)
    select ci.user_id, ci.coin_category, ci.uploaded_at, ci.record_id
    from coins.coin_inventory as ci
    where
        ci.user_id = p_user_id
        and ci.coin_category = p_coin_category
        and ci.fetched_by is null
        and (ci.uploaded_at, ci.record_id) >= (p_after, p_after_record_id)
    order by ci.uploaded_at, ci.record_id
    limit 1
    on conflict on constraint pk_queue_mark do update
    set uploaded_at = excluded.uploaded_at, record_id = excluded.record_id;
end
$$;

comment on function coins.move_queue_mark(uuid, text, timestamptz, bigint) is
'Notes where the unclaimed coins of a queue begin, so that claims need not walk over what was claimed before: dead index entries that an old snapshot keeps.
p_user_id: whose coins. p_coin_category: GOLD, SILVER or BRONZE. p_after, p_after_record_id: the mark so far.
Errors: none.';

revoke all on function coins.move_queue_mark(uuid, text, timestamptz, bigint) from public;
