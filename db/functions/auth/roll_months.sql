create or replace function auth.roll_months(
    p_table text,
    p_keep_days integer
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '1s'
as $$
declare
    v_today constant timestamp := now() at time zone 'UTC';
    v_done bigint := 0;
    v_month date;
begin
    -- To drop a month needs the whole table for a moment, and who waits for that makes everybody wait: hence the
    -- lock_timeout. Tomorrow is another day.
    if (p_table in ('audit_logs', 'email_events')) is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'table must be audit_logs or email_events';
    elsif (p_keep_days between 31 and 36500) is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'keep_days must be between 31 and 36500';
    end if;

    for v_ahead in 0..2 loop
        v_done := v_done + auth.add_month(p_table, (v_today + make_interval(months => v_ahead))::date)::integer;
    end loop;

    for v_month in
        select to_date(right(c.relname, 7), 'YYYY_MM') as month
        from pg_inherits as i
        inner join pg_class as c on c.oid = i.inhrelid
        where
            i.inhparent = to_regclass('auth.' || p_table)
            and to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month'
            <= v_today - make_interval(days => p_keep_days)
        order by month
    loop
        execute format('drop table auth.%I', p_table || to_char(v_month, '_YYYY_MM'));
        v_done := v_done + 1;
        if p_table = 'audit_logs' then
            perform auth.forget_audit_head(v_month);
        end if;
    end loop;
    return v_done;
end
$$;

comment on function auth.roll_months(text, integer) is
'Makes a table''s partitions for this month and the next two and drops those that are too old.
p_table: audit_logs or email_events. p_keep_days: days for which a row is kept, 31 to 36500.
Returns how many partitions were made or dropped.
Errors: 22023 for another table or an argument out of range.';

revoke all on function auth.roll_months(text, integer) from public;
grant execute on function auth.roll_months(text, integer) to aqm_jobs;

select ops.schedule_job(
    'roll_audit_months',
    '25 4 * * *',
    interval '1 day',
    p_step => 'auth.roll_months(''audit_logs'', 400)'
);
select ops.schedule_job(
    'roll_email_months',
    '35 4 * * *',
    interval '1 day',
    p_step => 'auth.roll_months(''email_events'', 90)'
);
