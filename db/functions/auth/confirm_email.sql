create or replace function auth.confirm_email(
    p_token text,
    out confirmed boolean
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    v_id constant uuid := auth.spend_one_time_token(p_token, 'email_check');
begin
    confirmed := v_id is not null;
    if not confirmed then
        perform set_config('response.status', '401 the token is not good, or not any more', true);
        return;
    end if;
    update auth.users as u set email_verified_at = now(), updated_at = now() where u.id = v_id;
    perform auth.write_audit('email.verified', v_id);
end
$$;

comment on function auth.confirm_email(text) is
'Notes that an email arrived: the address is the person''s.
p_token: of the email that auth.request_email_check() sends.
Returns whether it is so; a token that is not good is 401 over HTTP, and leaves no trace that anybody could fill the audit with.
Errors: none.';

revoke all on function auth.confirm_email(text) from public;
grant execute on function auth.confirm_email(text) to aqm_anon;

select gateway.expose('PUT /auth/email-check', 'auth.confirm_email');
