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
    v_email auth.email_events;
    v_status auth.email_status;
begin
    if p_is_sent is null then
        raise exception using errcode = 'invalid_parameter_value', message = 'is_sent must not be null';
    elsif octet_length(p_error) > 400 then
        raise exception using errcode = 'invalid_parameter_value', message = 'error must have at most 400 bytes';
    end if;
    select ee.* into v_email
    from auth.email_events as ee
    where
        ee.created_at = p_created_at and ee.id = p_id and ee.status = 'queued' and ee.claimed_by = auth.caller()
    for update;
    if not found then
        raise exception using errcode = 'PT404', message = 'there is no such email that you have claimed';
    elsif v_email.claimed_until <= now() then
        raise exception using errcode = 'PT409', message = 'the lease is over: whoever claims the email next sends it',
            constraint = 'lease';
    end if;

    v_status := (
        case when p_is_sent then 'sent' when v_email.attempts >= 5 then 'failed' else 'queued' end
    )::auth.email_status;
    update auth.email_events as ee
    set
        status = v_status,
        error = p_error,
        sent_at = case when p_is_sent then now() end,
        given_up_at = case when v_status = 'failed' then now() end,
        claimed_by = null,
        claimed_until = case
            when v_status = 'queued' then now() + interval '1 minute' * 2 ^ (v_email.attempts - 1)
        end,
        secret_encrypted = case when v_status = 'queued' then ee.secret_encrypted end,
        encryption_version = case when v_status = 'queued' then ee.encryption_version end
    where ee.created_at = p_created_at and ee.id = p_id;
    -- The end of each email, by whom: a notice that was said to be sent may have been held back. Not each try, of which
    -- the row tells enough; so there are no more rows than of those who asked for an email.
    if v_status <> 'queued' then
        perform auth.write_audit(
            'email.' || v_status, v_email.user_id,
            p_detail => jsonb_build_object('id', p_id, 'template', v_email.template)
        );
    end if;
    status := v_status;
end
$$;

comment on function auth.settle_email_event(bigint, timestamptz, boolean, text) is
'Says what became of an email; for who claimed it (the token''s subject, in psql the database role), while the lease lasts. One that could not be sent is queued again, to rest for 1, 2, 4 and 8 minutes, and fails at the fifth time. Its secret is kept no longer than that. The audit has who sent it, or tried last.
p_id, p_created_at: which. p_is_sent: whether it was sent. p_error: why not, at most 400 bytes, without the address or the secret.
Returns its status.
Errors: 22023 for a malformed argument, PT404 for an email that the caller has not claimed: it is somebody else''s, was settled before, is void, or is none; PT409 when the lease is over: the email may be with another worker, or soon will.';

revoke all on function auth.settle_email_event(bigint, timestamptz, boolean, text) from public;
grant execute on function auth.settle_email_event(bigint, timestamptz, boolean, text) to aqm_worker;

select gateway.expose('PUT /email-events/{id}', 'auth.settle_email_event');
