create or replace function coins.charge_quota(
    p_target_user_id uuid,
    p_requester_id uuid,
    p_count integer
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update coins.quota_use as qu
    set full_at = qu.full_at + p_count * q.microseconds_a_coin * interval '1 microsecond'
    from coins.claim_quota as q
    where
        qu.target_user_id = p_target_user_id
        and (qu.requester_id = p_requester_id or qu.requester_id is null)
        and q.is_enabled
        and q.scope = case when qu.requester_id is null then 'recipient' else 'pair' end;
end
$$;

comment on function coins.charge_quota(uuid, uuid, integer) is
'Charges the quotas that open_quota() holds with the coins that were given.
p_target_user_id: the recipient. p_requester_id: the sender. p_count: coins given.
Errors: none.';

revoke all on function coins.charge_quota(uuid, uuid, integer) from public;
