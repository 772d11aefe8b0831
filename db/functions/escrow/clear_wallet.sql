create or replace function escrow.clear_wallet(
    p_wallet gateway.wallet
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from escrow.blacklist as b where lower(b.wallet) = lower(p_wallet);
    if not found then
        raise exception using errcode = 'PT404', message = 'wallet is not blacklisted';
    end if;
    perform auth.write_audit('wallet.cleared', p_detail => jsonb_build_object('wallet', p_wallet));
end
$$;

comment on function escrow.clear_wallet(gateway.wallet) is
'Takes a wallet from the blacklist: it may sign in and trade again; its seller sets its products active again. The audit notes who did it.
p_wallet: which, in whatever case.
Errors: PT404 when it is not in the blacklist.';

revoke all on function escrow.clear_wallet(gateway.wallet) from public;
grant execute on function escrow.clear_wallet(gateway.wallet) to aqm_admin;

select gateway.expose('DELETE /v1/escrow/blacklist/{wallet}', 'escrow.clear_wallet');
