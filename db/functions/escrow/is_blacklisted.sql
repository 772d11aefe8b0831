create or replace function escrow.is_blacklisted(
    p_wallet text
)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Lists of addresses come in any case, and there is no Keccak here to give them their checksum.
    return exists (select from escrow.blacklist as b where lower(b.wallet) = lower(p_wallet));
end
$$;

comment on function escrow.is_blacklisted(text) is
'Whether a wallet is in the blacklist, in whatever case.
p_wallet: the wallet.
Errors: none.';

revoke all on function escrow.is_blacklisted(text) from public;
