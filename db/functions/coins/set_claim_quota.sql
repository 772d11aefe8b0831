create or replace function coins.set_claim_quota(
    p_scope text,
    p_is_enabled boolean,
    p_coins integer default null,
    p_period interval default null
)
returns setof coins.claim_quota
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_is_enabled is null then
        raise exception using errcode = 'invalid_parameter_value', message = 'is_enabled must not be null';
    elsif p_coins not between 1 and 1000000 then
        raise exception using errcode = 'invalid_parameter_value', message = 'coins must be between 1 and 1000000';
    elsif p_period not between interval '1 second' and interval '366 days' then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'period must be between 1 second and 366 days';
    end if;

    return query
    update coins.claim_quota as q
    set
        is_enabled = p_is_enabled,
        coins = coalesce(p_coins, q.coins),
        period = coalesce(p_period, q.period)
    where q.scope = p_scope
    returning q.*;
    if not found then
        raise exception using errcode = 'invalid_parameter_value', message = 'scope must be pair or recipient';
    end if;
end
$$;

comment on function coins.set_claim_quota(text, boolean, integer, interval) is
'Sets how many coins may be claimed in a time, against senders that drain a recipient.
p_scope: pair (one sender of one recipient) or recipient (all senders together). p_is_enabled: whether it holds. p_coins: coins in a period, 1 to 1000000; null: as before. p_period: from a second to 366 days; null: as before.
Returns the setting.
Errors: 22023 for an argument out of range.';

revoke all on function coins.set_claim_quota(text, boolean, integer, interval) from public;
