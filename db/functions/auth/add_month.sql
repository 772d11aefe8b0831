create or replace function auth.add_month(
    p_table text,
    p_month date
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_from constant date := date_trunc('month', p_month)::date;
    v_partition constant text := p_table || to_char(v_from, '_YYYY_MM');
begin
    if to_regclass('auth.' || v_partition) is not null then
        return false;
    end if;
    -- Two at once: the second finds it made.
    perform pg_advisory_xact_lock(hashtextextended('auth.add_month', 0));
    if to_regclass('auth.' || v_partition) is not null then
        return false;
    end if;

    execute format('create table auth.%I (like auth.%I including all excluding identity)', v_partition, p_table);
    -- A DBA may be first in a month: the partition is the context's all the same.
    execute format('alter table auth.%I owner to aqm_auth_owner', v_partition);
    -- Attached, not created in place: others go on reading and writing meanwhile.
    execute format(
        'alter table auth.%I attach partition auth.%I for values from (%L) to (%L)',
        -- A month begins when it does in UTC, whatever the time zone of whoever is first in it.
        p_table, v_partition, v_from::timestamp at time zone 'UTC', (v_from + interval '1 month') at time zone 'UTC'
    );
    return true;
end
$$;

comment on function auth.add_month(text, date) is
'Makes a table''s partition for a month of UTC unless it is there.
p_table: audit_logs or email_events. p_month: any day of the month.
Returns whether it was made.
Errors: none.';

revoke all on function auth.add_month(text, date) from public;
