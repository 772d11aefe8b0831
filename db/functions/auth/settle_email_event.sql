create or replace function auth.settle_email_event(
    p_id bigint,
    p_created_at timestamptz,
    p_is_sent boolean,
    p_error text default null,
    out status auth.email_status
)
returns auth.email_status
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_attempts integer;
    v_status auth.email_status;
begin
    if p_is_sent is null then
        raise exception using errcode = 'invalid_parameter_value', message = 'is_sent must not be null';
    elsif octet_length(p_error) > 400 then
        raise exception using errcode = 'invalid_parameter_value', message = 'error must have at most 400 bytes';
    end if;
    select ee.attempts into v_attempts
    from auth.email_events as ee
    where ee.created_at = p_created_at and ee.id = p_id and ee.status = 'queued' and ee.attempts > 0
    for update;
    if not found then
        raise exception using errcode = 'PT404', message = 'there is no such email that a worker has';
    end if;

    v_status := (
        case when p_is_sent then 'sent' when v_attempts >= 5 then 'failed' else 'queued' end
    )::auth.email_status;
    update auth.email_events as ee
    set
        status = v_status,
        error = p_error,
        sent_at = case when p_is_sent then now() end,
        claimed_until = case
            when v_status = 'queued' then now() + interval '1 minute' * 2 ^ (v_attempts - 1)
        end,
        secret_encrypted = case when v_status = 'queued' then ee.secret_encrypted end,
        encryption_version = case when v_status = 'queued' then ee.encryption_version end
    where ee.created_at = p_created_at and ee.id = p_id;
    status := v_status;
end
$$;

comment on function auth.settle_email_event(bigint, timestamptz, boolean, text) is
'Says what became of an email that a worker has claimed. One that could not be sent is queued again, to rest for 1, 2, 4 and 8 minutes, and fails at the fifth time. Its secret is kept no longer than that.
p_id, p_created_at: which. p_is_sent: whether it was sent. p_error: why not, at most 400 bytes, without the address or the secret.
Returns its status.
Errors: 22023 for a malformed argument, PT404 when no worker has such an email: it was settled before, or never claimed.';

revoke all on function auth.settle_email_event(bigint, timestamptz, boolean, text) from public;
grant execute on function auth.settle_email_event(bigint, timestamptz, boolean, text) to aqm_worker;

select gateway.expose('PUT /email-events/{id}', 'auth.settle_email_event');
