create or replace function auth.emails_given_up(
    out value bigint
)
returns bigint
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    select count(*) into value
    from auth.email_events as ee
    where ee.given_up_at > now() - interval '1 hour';
end
$$;

comment on function auth.emails_given_up() is
'Emails that could not be sent in five tries and were given up within the last hour.
Errors: none.';

revoke all on function auth.emails_given_up() from public;
grant execute on function auth.emails_given_up() to aqm_monitor, aqm_gateway;

select gateway.expose_metric('aqm_emails_given_up', 'auth.emails_given_up');
