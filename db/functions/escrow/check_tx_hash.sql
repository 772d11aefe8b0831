create or replace function escrow.check_tx_hash(
    p_tx_hash text,
    p_field text default 'tx_hash'
)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_tx_hash ~ '^0x[0-9a-fA-F]{64}$') is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = format('%s must be 0x and 64 hex digits', p_field);
    end if;
end
$$;

comment on function escrow.check_tx_hash(text, text) is
'Refuses what can''t be the hash of a transaction.
p_tx_hash: 0x and 64 hex digits, of either case. p_field: JSON name of the argument, for the message.
Errors: 22023 for anything else, null included.';

revoke all on function escrow.check_tx_hash(text, text) from public;
