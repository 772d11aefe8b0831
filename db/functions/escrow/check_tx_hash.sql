create or replace function escrow.check_tx_hash(
    p_tx_hash text
)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_tx_hash ~ '^0x[0-9a-fA-F]{64}$') is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'tx_hash must be 0x and 64 hex digits';
    end if;
end
$$;

comment on function escrow.check_tx_hash(text) is
'Refuses what can''t be the hash of a transaction.
p_tx_hash: 0x and 64 hex digits, of either case.
Errors: 22023 for anything else, null included.';

revoke all on function escrow.check_tx_hash(text) from public;
