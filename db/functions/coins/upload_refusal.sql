create or replace function coins.upload_refusal(
    p_coins coins.coin_upload[],
    out error_code text,
    out error_message text
)
returns setof record
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        case when fault.is_too_large then 'PT413' else '22023' end,
        format('coins[%s].%s', fault.place, fault.reason)
    from (
        select
            c.place - 1 as place,
            octet_length(c.public_key_blob) > largest.public_key_bytes
            or octet_length(c.signature_blob) > largest.signature_bytes as is_too_large,
            case
                when octet_length(c.public_key_blob) > largest.public_key_bytes
                    then format('public_key is larger than the %s bytes that any category allows', largest.public_key_bytes)
                when octet_length(c.signature_blob) > largest.signature_bytes
                    then format('signature is larger than the %s bytes that any category allows', largest.signature_bytes)
                when (c.key_id <> '') is not true then 'key_id must not be empty'
                when length(c.key_id) > 36 then 'key_id must have at most 36 characters'
                when cc.name is null then 'coin_category must be one of ' || largest.names
                when (octet_length(c.public_key_blob) = cc.public_key_bytes) is not true
                    then format('public_key must have %s bytes for %s', cc.public_key_bytes, cc.name)
                when (octet_length(c.signature_blob) = cc.signature_bytes) is not true
                    then format('signature must have %s bytes for %s', cc.signature_bytes, cc.name)
            end as reason
        from
            unnest(p_coins)
            with ordinality as c (key_id, coin_category, public_key_blob, signature_blob, place)
        left join coins.coin_category as cc on cc.name = c.coin_category
        cross join (
            select
                max(k.public_key_bytes) as public_key_bytes,
                max(k.signature_bytes) as signature_bytes,
                string_agg(k.name, ', ' order by k.name) as names
            from coins.coin_category as k
        ) as largest
    ) as fault
    where fault.reason is not null
    order by fault.place
    limit 1;
end
$$;

comment on function coins.upload_refusal(coins.coin_upload[]) is
'Says what is wrong with the first bad coin of an upload; no row when all are good.
p_coins: the coins to upload.
Returns the SQLSTATE, 22023 or PT413 (a blob larger than any category allows), and a message that names the element, counted from 0.
Errors: none.';

revoke all on function coins.upload_refusal(coins.coin_upload[]) from public;
