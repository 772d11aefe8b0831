create or replace function auth.oldest_email_seconds(
    out value double precision
)
returns double precision
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    value := coalesce((
        select extract(epoch from now() - ee.created_at)
        from auth.email_events as ee
        where ee.status = 'queued'
        order by ee.created_at
        limit 1
    ), 0);
end
$$;

comment on function auth.oldest_email_seconds() is
'Age of the oldest email that is yet to be sent, in seconds; 0 when none is.
Errors: none.';

revoke all on function auth.oldest_email_seconds() from public;
grant execute on function auth.oldest_email_seconds() to aqm_monitor, aqm_gateway;

select gateway.expose_metric('aqm_oldest_email_seconds', 'auth.oldest_email_seconds');
