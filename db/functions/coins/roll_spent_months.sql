create or replace function coins.roll_spent_months(
    p_keep_days integer default 400
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '1s'
as $$
declare
    v_done bigint := 0;
    v_partition text;
begin
    -- To drop a month needs the whole table for a moment, and who waits for that makes everybody wait: hence the
    -- lock_timeout. Tomorrow is another day.
    if (p_keep_days between 31 and 36500) is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'keep_days must be between 31 and 36500';
    end if;

    for v_ahead in 0..2 loop
        v_done := v_done + coins.add_spent_month((now() + make_interval(months => v_ahead))::date)::integer;
    end loop;

    for v_partition in
        select c.relname::text
        from pg_inherits as i
        inner join pg_class as c on c.oid = i.inhrelid
        where
            i.inhparent = 'coins.spent_coin'::regclass
            and to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month'
            <= now() - make_interval(days => p_keep_days)
    loop
        execute format('drop table coins.%I', v_partition);
        v_done := v_done + 1;
    end loop;
    return v_done;
end
$$;

comment on function coins.roll_spent_months(integer) is
'Makes the partitions of coins.spent_coin for this month and the next two and drops those that are too old: by then no device has the private keys any more.
p_keep_days: days for which a spent coin is remembered, 31 to 36500.
Returns how many partitions were made or dropped.
Errors: 22023 for an argument out of range.';

revoke all on function coins.roll_spent_months(integer) from public;
grant execute on function coins.roll_spent_months(integer) to aqm_jobs;

select ops.schedule_job(
    'roll_spent_months',
    '20 4 * * *',
    interval '1 day',
    p_step => 'coins.roll_spent_months(400)'
);
