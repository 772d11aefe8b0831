create or replace function auth.month_start(
    p_month date
)
returns timestamptz
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return date_trunc('month', p_month::timestamp) at time zone 'UTC';
end
$$;

comment on function auth.month_start(date) is
'Says when a month begins, in UTC whatever the session''s time zone.
p_month: any day of the month.
Errors: none.';

revoke all on function auth.month_start(date) from public;
