create or replace function coins.put_last_resort(
    p_user_id uuid,
    p_coin coins.coin_upload,
    out replaced boolean
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_refusal record;
    v_old record;
    v_digests bigint[];
begin
    if p_user_id is null or p_coin is null then
        raise exception using errcode = 'invalid_parameter_value',
            message = case when p_user_id is null then 'user_id' else 'coin' end || ' must not be null';
    end if;
    select r.error_code, r.error_message into v_refusal from coins.upload_refusal(array[p_coin]) as r;
    if found then
        raise exception using errcode = v_refusal.error_code,
            message = replace(v_refusal.error_message, 'coins[0].', 'coin.');
    end if;
    perform coins.lock_user(p_user_id);

    select lr.key_id, lr.public_key_blob into v_old
    from coins.last_resort_coin as lr
    where lr.user_id = p_user_id and lr.coin_category = p_coin.coin_category;
    replaced := found;
    if v_old.key_id = p_coin.key_id and v_old.public_key_blob = p_coin.public_key_blob then
        -- A retry, or the same key signed anew.
        update coins.last_resort_coin as lr
        set signature_blob = p_coin.signature_blob
        where
            lr.user_id = p_user_id
            and lr.coin_category = p_coin.coin_category
            and lr.signature_blob <> p_coin.signature_blob;
        return;
    end if;
    v_digests := coins.digests(array[convert_to(p_coin.key_id, 'UTF8'), p_coin.public_key_blob]);
    -- In one snapshot: a coin is in stock or spent, never neither.
    if exists (select from coins.list_spent_digests(p_user_id) as s where s.digest = any(v_digests))
        or exists (
            select from coins.coin_inventory as ci
            where
                ci.user_id = p_user_id
                and (ci.key_id = p_coin.key_id or ci.public_key_digest = any(v_digests))
        )
    then
        raise exception using errcode = 'PT409',
            message = 'coin is or was in use: a last-resort coin needs a key pair of its own';
    end if;

    if replaced then
        -- Many have it: it never becomes a one-time coin.
        perform coins.remember_spent(
            p_user_id, coins.digests(array[convert_to(v_old.key_id, 'UTF8'), v_old.public_key_blob])
        );
    end if;
    insert into coins.last_resort_coin as lr (user_id, coin_category, key_id, public_key_blob, signature_blob)
    values (p_user_id, p_coin.coin_category, p_coin.key_id, p_coin.public_key_blob, p_coin.signature_blob)
    on conflict on constraint pk_last_resort_coin do update
    set
        key_id = excluded.key_id,
        public_key_blob = excluded.public_key_blob,
        signature_blob = excluded.signature_blob,
        stored_at = now();
end
$$;

comment on function coins.put_last_resort(uuid, coins.coin_upload) is
'Stores the coin that senders who accept it get when a user''s one-time coins of its category are gone; it replaces the one before.
p_user_id: whose coin it is. p_coin: the coin, with the exact sizes of its category in bytes.
Returns whether there was one before.
Errors: 22023 naming the field for a bad coin; PT413 for a blob larger than any category allows; PT409 for a key that is or was a one-time coin, or another category''s last resort, and in a transaction that is not READ COMMITTED.';

revoke all on function coins.put_last_resort(uuid, coins.coin_upload) from public;
grant execute on function coins.put_last_resort(uuid, coins.coin_upload) to aqm_device;

select gateway.expose(
    'PUT /v1/coins/last-resort',
    'coins.put_last_resort',
    p_caller_argument => 'p_user_id'
);
