create or replace function auth.write_audit(
    p_action text,
    p_user_id uuid default null,
    p_session_id uuid default null,
    p_detail jsonb default '{}'
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := clock_timestamp();
begin
    perform auth.add_month('audit_logs', (v_now at time zone 'UTC')::date);
    insert into auth.audit_logs (created_at, action, actor, user_id, session_id, address, detail)
    values (v_now, p_action, auth.caller(), p_user_id, p_session_id, auth.caller_address(), p_detail);
end
$$;

comment on function auth.write_audit(text, uuid, uuid, jsonb) is
'Writes down what happened; who did it and from where is read from the request.
p_action: like session.opened. p_user_id: to whom; null: nobody in particular. p_session_id: in which session; null: none. p_detail: what else, nothing secret.
Errors: 23514 for an action of another form.';

revoke all on function auth.write_audit(text, uuid, uuid, jsonb) from public;
grant execute on function auth.write_audit(text, uuid, uuid, jsonb) to aqm_escrow_owner;
