create or replace function coins.open_quota(
    p_target_user_id uuid,
    p_requester_id uuid,
    out allowance integer,
    out retry_after integer
)
returns record
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    -- The upsert locks the rows before they are read: of two claims at once the second reads what the first has left.
    -- So the clock is read behind the lock: the transaction may have begun before the first one charged.
    -- The recipient's row before the pair's: everybody locks in one order, so that nobody waits in a circle.
    with use as (
        insert into coins.quota_use as qu (target_user_id, requester_id, full_at)
        select p_target_user_id, case when q.scope = 'pair' then p_requester_id end, clock_timestamp()
        from coins.claim_quota as q
        where q.is_enabled
        order by q.scope desc
        on conflict on constraint uq_quota_use do update set full_at = greatest(qu.full_at, clock_timestamp())
        returning qu.requester_id, extract(epoch from qu.full_at - clock_timestamp()) * 1000000 as microseconds_to_full
    )

    select
        min(greatest(q.coins - ceil(u.microseconds_to_full / q.microseconds_a_coin), 0))::integer,
        max(greatest(ceil((u.microseconds_to_full - (q.coins - 1) * q.microseconds_a_coin) / 1000000), 0))::integer
    into allowance, retry_after
    from use as u
    inner join coins.claim_quota as q on q.scope = case when u.requester_id is null then 'recipient' else 'pair' end;
end
$$;

comment on function coins.open_quota(uuid, uuid) is
'Says how many coins the quotas leave to a sender at a recipient and holds them until the transaction ends; charge_quota() takes what was given. By the generic cell rate algorithm (ITU-T I.371): a quota is full again at full_at, each coin moves that time on.
p_target_user_id: the recipient. p_requester_id: the sender.
Returns the allowance in coins, null when no quota is enabled, and the seconds after which there will be one, 0 when there is.
Errors: none.';

revoke all on function coins.open_quota(uuid, uuid) from public;
