create or replace function coins.upload_refusal(
    p_coins coins.coin_upload[],
    out error_code text,
    out error_message text
)
returns setof record
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
    return query
    with categories as materialized (
        select cc.* from coins.coin_category as cc
    ),

    faulty as (
        select c.place - 1 as place, c.key_id, c.public_key_blob, c.signature_blob, cc.*
        from (
            select sent.place, (sent.coin).*
            from (
                select generate_series(1, cardinality(p_coins)) as place, unnest(p_coins) as coin
            ) as sent
        ) as c
        left join categories as cc on cc.name = c.coin_category
        where
            (
                c.key_id <> ''
                and length(c.key_id) <= 36
                and octet_length(c.public_key_blob) = cc.public_key_bytes
                and octet_length(c.signature_blob) = cc.signature_bytes
            ) is not true
        order by c.place
        limit 1
    )

    select
        case when fault.is_too_large then 'PT413' else '22023' end,
        format('coins[%s].%s', fault.place, fault.reason)
    from (
        select
            f.place,
            octet_length(f.public_key_blob) > largest.public_key_bytes
            or octet_length(f.signature_blob) > largest.signature_bytes as is_too_large,
            case
                when octet_length(f.public_key_blob) > largest.public_key_bytes
                    then format('public_key is larger than the %s bytes that any category allows', largest.public_key_bytes)
                when octet_length(f.signature_blob) > largest.signature_bytes
                    then format('signature is larger than the %s bytes that any category allows', largest.signature_bytes)
                when (f.key_id <> '') is not true then 'key_id must not be empty'
                when length(f.key_id) > 36 then 'key_id must have at most 36 characters'
                when f.name is null then 'coin_category must be one of ' || largest.names
                when (octet_length(f.public_key_blob) = f.public_key_bytes) is not true
                    then format('public_key must have %s bytes for %s', f.public_key_bytes, f.name)
                else format('signature must have %s bytes for %s', f.signature_bytes, f.name)
            end as reason
        from faulty as f
        cross join (
            select
                max(k.public_key_bytes) as public_key_bytes,
                max(k.signature_bytes) as signature_bytes,
                string_agg(k.name, ', ' order by k.name) as names
            from categories as k
        ) as largest
    ) as fault;
end
$$;

comment on function coins.upload_refusal(coins.coin_upload[]) is
'Says what is wrong with the first bad coin of an upload; no row when all are good.
p_coins: the coins to upload.
Returns the SQLSTATE, 22023 or PT413 (a blob larger than any category allows), and a message that names the element, counted from 0.
Errors: none.';

revoke all on function coins.upload_refusal(coins.coin_upload[]) from public;
