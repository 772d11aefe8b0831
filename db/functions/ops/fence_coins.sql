create or replace function ops.fence_coins(
    p_uploaded_before timestamptz default null,
    out dropped bigint,
    out epoch bigint
)
returns record
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    -- A typo: it would drop all that was uploaded since the opening, too.
    if p_uploaded_before > clock_timestamp() then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'uploaded_before must not be in the future';
    end if;
    select f.dropped, f.epoch into dropped, epoch from coins.fence_inventory(p_uploaded_before) as f;
end
$$;

comment on function ops.fence_coins(timestamptz) is
'To be called after a restore, before the database is opened to the world: makes sure that no coin that was issued in the lost time is issued again, by dropping all unclaimed coins and raising the epoch. Claims and uploads wait until it is done.
p_uploaded_before: null drops all; when the restored database was opened already, the time of its opening: coins uploaded later are kept; never in the future.
Returns how many coins were dropped and the new epoch.
Errors: 22023 for a time in the future.';

revoke all on function ops.fence_coins(timestamptz) from public;
