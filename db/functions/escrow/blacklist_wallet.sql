create or replace function escrow.blacklist_wallet(
    p_wallet gateway.wallet,
    p_reason text,
    p_source text default 'manual',
    p_added_by gateway.wallet default null
)
returns setof escrow.blacklist_entry
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_wallet is null then
        raise exception using errcode = 'invalid_parameter_value', message = 'wallet must not be null';
    elsif (char_length(p_reason) between 1 and 200) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'reason must have 1 to 200 characters';
    elsif (p_source in ('manual', 'community', 'tornado')) is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'source must be manual, community or tornado';
    end if;
    return query
    insert into escrow.blacklist as b (wallet, reason, source, added_by)
    values (p_wallet, p_reason, p_source, p_added_by)
    on conflict do nothing
    returning b.wallet::text, b.reason::text, b.source::text, b.added_by::text, b.created_at;
    if not found then
        raise exception using errcode = 'PT409', message = 'wallet is blacklisted already', constraint = 'blacklisted';
    end if;
    -- Without the reason: it may name people, and the audit forgets nobody.
    perform auth.write_audit(
        'wallet.blacklisted', p_detail => jsonb_build_object('wallet', p_wallet, 'source', p_source)
    );
end
$$;

comment on function escrow.blacklist_wallet(gateway.wallet, text, text, gateway.wallet) is
'Shuts a wallet out: it can''t sign in or trade any more, from this moment on and whatever tokens it has, and what it sells is paused. It need not have a profile. The audit notes who did it.
p_wallet: whom. p_reason: 1 to 200 characters. p_source: manual, community or tornado. p_added_by: wallet of the admin; null: not told.
Returns the entry.
Errors: 22023 for a malformed argument, PT409 (blacklisted) for a wallet that is in the blacklist.';

revoke all on function escrow.blacklist_wallet(gateway.wallet, text, text, gateway.wallet) from public;
grant execute on function escrow.blacklist_wallet(gateway.wallet, text, text, gateway.wallet) to aqm_admin;

select gateway.expose('POST /v1/escrow/blacklist', 'escrow.blacklist_wallet');
