create or replace function escrow.list_blacklist(
    p_after gateway.wallet default null,
    p_limit integer default 100
)
returns setof escrow.blacklist_entry
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_limit between 1 and 1000) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be between 1 and 1000';
    end if;

    return query
    select b.wallet::text, b.reason::text, b.source::text, b.added_by::text, b.created_at
    from escrow.blacklist as b
    -- HTTP gives a wallet its capitals, also one that is here without.
    where p_after is null or lower(b.wallet) > lower(p_after)
    order by lower(b.wallet)
    limit p_limit;
end
$$;

comment on function escrow.list_blacklist(gateway.wallet, integer) is
'Lists who may neither sign in nor trade, a page at a time.
p_after: the last wallet of the page before; null: from the beginning. p_limit: 1 to 1000.
Returns entries by wallet.
Errors: 22023 for an argument out of range.';

revoke all on function escrow.list_blacklist(gateway.wallet, integer) from public;
grant execute on function escrow.list_blacklist(gateway.wallet, integer) to aqm_admin;

select gateway.expose('GET /v1/escrow/blacklist', 'escrow.list_blacklist', 'blacklist');
