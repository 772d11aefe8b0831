create or replace function auth.request_email_check(
    p_id uuid
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_verified_at timestamptz;
    v_token text;
begin
    select u.email_verified_at into v_verified_at
    from auth.users as u
    where u.id = p_id and u.is_active and u.deleted_at is null
    for no key update;
    if not found then
        raise exception using errcode = 'PT404', message = 'there is no such account';
    elsif v_verified_at is not null then
        return;
    end if;

    v_token := auth.open_one_time_token(p_id, 'email_check', interval '1 day');
    if v_token is null then
        raise exception using errcode = 'PT429', message = 'three emails are under way: look for them',
            detail = format('Retry-After: %s', (
                select ceil(extract(epoch from min(ott.expires_at) - now()))
                from auth.one_time_tokens as ott
                where
                    ott.user_id = p_id and ott.purpose = 'email_check'
                    and ott.used_at is null and ott.expires_at > now()
            ));
    end if;
    perform auth.queue_email(p_id, 'email_check', p_secret => v_token);
    perform auth.write_audit('email.check_requested', p_id);
end
$$;

comment on function auth.request_email_check(uuid) is
'Sends a person an email with a token that proves that it arrived, good once and for a day; see auth.confirm_email(). To an address that is verified nothing is sent.
p_id: to whom.
Errors: PT404 when there is no such account, PT429 with the seconds to wait while three tokens are open, PT503 without the data keys.';

revoke all on function auth.request_email_check(uuid) from public;
grant execute on function auth.request_email_check(uuid) to aqm_user, aqm_admin;

select gateway.expose(
    'POST /users/{id}/email-check', 'auth.request_email_check', p_caller_argument => 'p_id', p_needs_keys => true
);
