create or replace function coins.add_spent_month(
    p_month date
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_from constant date := date_trunc('month', p_month)::date;
    v_partition constant text := 'spent_coin_' || to_char(v_from, 'YYYY_MM');
begin
    if to_regclass('coins.' || v_partition) is not null then
        return false;
    end if;
    -- Two purges at once: the second finds it made.
    perform pg_advisory_xact_lock(hashtextextended('coins.add_spent_month', 0));
    -- By a query: the lock that was waited for did not tell to_regclass() that its answer is old.
    if exists (
        select from pg_class as c where c.relname = v_partition and c.relnamespace = 'coins'::regnamespace
    ) then
        return false;
    end if;

    execute format('create table coins.%I (like coins.spent_coin including all)', v_partition);
    -- Random numbers don't compress.
    execute format('alter table coins.%I alter column digests set storage external', v_partition);
    -- Attached, not created in place: uploads go on reading the other months meanwhile.
    execute format(
        'alter table coins.spent_coin attach partition coins.%I for values from (%L) to (%L)',
        v_partition, v_from, v_from + interval '1 month'
    );
    return true;
end
$$;

comment on function coins.add_spent_month(date) is
'Makes the partition of coins.spent_coin for a month unless it is there.
p_month: any day of the month.
Returns whether it was made.
Errors: none.';

revoke all on function coins.add_spent_month(date) from public;
