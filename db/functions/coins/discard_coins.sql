create or replace function coins.discard_coins(
    p_user_id uuid,
    p_key_ids text[] default null,
    out deleted bigint
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_digests bigint[];
begin
    if p_user_id is null then
        raise exception using errcode = 'invalid_parameter_value', message = 'user_id must not be null';
    end if;

    -- Where a queue comes near its threshold is no longer known. Claims don't wait for this: they let the mark be.
    perform pg_advisory_xact_lock(hashtextextended(format('coins.queue_mark %s %s', p_user_id, cc.name), 0))
    from (select cc.name from coins.coin_category as cc order by cc.name) as cc;
    delete from coins.queue_mark as qm where qm.user_id = p_user_id;

    with coin as (
        delete from coins.coin_inventory as ci
        where ci.user_id = p_user_id and ci.fetched_by is null and (p_key_ids is null or ci.key_id = any(p_key_ids))
        returning 1
    ),

    last_resort as (
        delete from coins.last_resort_coin as lr
        where lr.user_id = p_user_id and (p_key_ids is null or lr.key_id = any(p_key_ids))
        returning lr.key_id, lr.public_key_blob
    )

    select
        (select count(*) from coin) + (select count(*) from last_resort),
        (
            select coins.digests(array_agg(convert_to(lr.key_id, 'UTF8')) || array_agg(lr.public_key_blob))
            from last_resort as lr
        )
    into deleted, v_digests;

    if v_digests is not null then
        -- Many have it: it never becomes a one-time coin.
        perform coins.remember_spent(p_user_id, v_digests);
    end if;
end
$$;

comment on function coins.discard_coins(uuid, text[]) is
'Deletes a user''s coins that nobody has claimed, last-resort coins included: the device lost their private keys. A coin that is being claimed goes to its sender.
p_user_id: whose coins. p_key_ids: which; null: all.
Returns how many were deleted.
Errors: 22023 for a null user.';

revoke all on function coins.discard_coins(uuid, text[]) from public;
grant execute on function coins.discard_coins(uuid, text[]) to aqm_device, aqm_auth_owner;

select gateway.expose(
    'POST /v1/coins/discard',
    'coins.discard_coins',
    p_caller_argument => 'p_user_id'
);
