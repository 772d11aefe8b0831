create or replace function coins.list_claimed(
    p_user_id uuid,
    p_since timestamptz default null,
    p_cursor text default null,
    p_limit integer default 1000
)
returns setof coins.issued_coin
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_after record;
begin
    if (p_limit between 1 and 1000) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be between 1 and 1000';
    elsif p_cursor !~ '^[0-9]{1,16}-.{1,36}$' then
        raise exception using errcode = 'invalid_parameter_value', message = 'cursor is none that was given out';
    end if;
    -- Microseconds since 1970 and the key: times are equal within a claim.
    select
        coalesce(
            timestamptz 'epoch' + split_part(p_cursor, '-', 1)::bigint * interval '1 microsecond', p_since, '-infinity'
        ) as claimed_at,
        coalesce(substr(p_cursor, strpos(p_cursor, '-') + 1), '') as key_id
    into v_after;

    return query
    select
        ci.key_id::text,
        ci.coin_category::text,
        ci.fetched_at,
        (extract(epoch from ci.fetched_at) * 1000000)::bigint || '-' || ci.key_id
    from coins.coin_inventory as ci
    where
        ci.user_id = p_user_id
        and ci.fetched_by is not null
        and (p_since is null or ci.fetched_at >= p_since)
        and (
            ci.fetched_at > v_after.claimed_at
            or ci.fetched_at = v_after.claimed_at and ci.key_id collate "C" > v_after.key_id
        )
    order by ci.fetched_at, ci.key_id collate "C"
    limit p_limit;
end
$$;

comment on function coins.list_claimed(uuid, timestamptz, text, integer) is
'Lists which of a user''s coins went and when, never to whom; until the hard delete, an hour after the claim.
p_user_id: whose coins. p_since: only claims from this time on. p_cursor: go on after the coin that had this cursor. p_limit: coins, 1 to 1000.
Returns the coins, first claimed first. A time is that of the claim''s begin: one that took long to commit can come up before a cursor that was given out already, so ask now and then from a minute ago on.
Errors: 22023 for a cursor that was not given out or a limit out of range.';

revoke all on function coins.list_claimed(uuid, timestamptz, text, integer) from public;
grant execute on function coins.list_claimed(uuid, timestamptz, text, integer) to aqm_device;

select gateway.expose(
    'GET /v1/coins/claimed',
    'coins.list_claimed',
    p_rows_as => 'coins',
    p_caller_argument => 'p_user_id'
);
