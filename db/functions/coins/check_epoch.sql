create or replace function coins.check_epoch(
    p_epoch bigint
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_epoch constant bigint := (select e.number from coins.epoch as e);
begin
    if p_epoch <> v_epoch then
        raise exception using errcode = 'PT409', constraint = 'epoch',
            message = format('epoch is now %s', v_epoch),
            hint = 'Discard all private keys that were not issued, mint new ones and upload them.';
    end if;
end
$$;

comment on function coins.check_epoch(bigint) is
'Refuses a device that does not know that the inventory began anew after a restore.
p_epoch: the epoch that the device knows; null: not checked.
Errors: PT409 with constraint "epoch" when it is another.';

revoke all on function coins.check_epoch(bigint) from public;
