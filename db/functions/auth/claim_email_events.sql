create or replace function auth.claim_email_events(
    p_limit integer default 100,
    p_lease interval default '5 minutes'
)
returns setof auth.email_to_send
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_claimed bigint;
begin
    if (p_limit between 1 and 1000) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be between 1 and 1000';
    elsif (p_lease between interval '1 second' and interval '1 day') is not true then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'lease must be between 1 second and 1 day';
    end if;
    perform auth.give_up_emails();

    return query
    with picked as materialized (
        select queued.created_at, queued.id
        from auth.email_events as queued
        where
            queued.status = 'queued' and queued.attempts < 5
            and (queued.claimed_until is null or queued.claimed_until <= now())
        order by queued.created_at, queued.id
        limit p_limit
        for update skip locked
    ),

    claimed as (
        update auth.email_events as ee
        set attempts = ee.attempts + 1, claimed_until = now() + p_lease, claimed_by = auth.caller()
        from picked
        where ee.created_at = picked.created_at and ee.id = picked.id
        returning ee.*
    ),

    opened as (
        select
            claimed.*, auth.decrypt_or_null(u.email_encrypted, u.encryption_version) as email,
            auth.decrypt_or_null(claimed.secret_encrypted, claimed.encryption_version) as secret
        from claimed
        left join auth.users as u on u.id = claimed.user_id
    )

    select
        o.id, o.created_at, case when o.has_own_address then o.secret else o.email end, o.template, o.template_data,
        case when not o.has_own_address then o.secret end, o.attempts
    from opened as o
    -- One that was damaged waits out its lease, five times, and has failed then: the others are sent meanwhile.
    where (o.secret is null) = (o.secret_encrypted is null)
    order by o.created_at, o.id;
    -- It read addresses, and secrets that open accounts.
    get diagnostics v_claimed = row_count;
    if v_claimed > 0 then
        perform auth.write_audit('emails.claimed', p_detail => jsonb_build_object('number', v_claimed));
    end if;
end
$$;

comment on function auth.claim_email_events(integer, interval) is
'Hands emails that are to be sent to a worker, the oldest first; no other worker gets them during the lease. The worker sends them and says so with auth.settle_email_event(): whoever claimed them, and while the lease lasts.
p_limit: at most so many, 1 to 1000. p_lease: for how long, a second to a day; whoever takes longer may find that another worker sent them again.
Returns the emails, with address and secret; template email_changed goes to the address that the person had before. How many a worker was handed is in the audit.
Errors: 22023 for an argument out of range, PT503 without the data keys.';

revoke all on function auth.claim_email_events(integer, interval) from public;
grant execute on function auth.claim_email_events(integer, interval) to aqm_worker;

select gateway.expose(
    'POST /email-events/claim', 'auth.claim_email_events', 'email_events', p_needs_keys => true
);
