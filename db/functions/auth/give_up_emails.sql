create or replace function auth.give_up_emails()
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    with lost as materialized (
        select old.created_at, old.id
        from auth.email_events as old
        where old.status = 'queued' and old.attempts >= 5 and old.claimed_until <= now()
        limit 1000
        for update skip locked
    )

    update auth.email_events as ee
    set
        status = 'failed', error = coalesce(ee.error, 'the worker gave no answer'), claimed_until = null,
        claimed_by = null, given_up_at = now(), secret_encrypted = null, encryption_version = null
    from lost
    where ee.created_at = lost.created_at and ee.id = lost.id;
end
$$;

comment on function auth.give_up_emails() is
'Gives up emails that were claimed five times and of which no worker said what became of them.
Errors: none.';

revoke all on function auth.give_up_emails() from public;
