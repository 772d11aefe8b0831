create or replace function auth.queue_email(
    p_user_id uuid,
    p_template text,
    p_template_data jsonb default '{}',
    p_secret text default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_version constant integer := case when p_secret is not null then auth.current_key('encryption') end;
begin
    perform auth.add_month('email_events', (now() at time zone 'UTC')::date);
    insert into auth.email_events (user_id, template, template_data, secret_encrypted, encryption_version)
    values (p_user_id, p_template, p_template_data, auth.encrypt_text(p_secret, v_version), v_version);
end
$$;

comment on function auth.queue_email(uuid, text, jsonb, text) is
'Queues an email to a person; auth.claim_email_events() hands it to a worker.
p_user_id: to whom, locked by the caller, so that nobody is erased meanwhile. p_template: lower case, with underscores. p_template_data: what the template needs, nothing secret. p_secret: what only the recipient may see, kept encrypted until it is sent; null: nothing.
Errors: 23514 for a malformed template, PT503 without the data keys when there is a secret.';

revoke all on function auth.queue_email(uuid, text, jsonb, text) from public;
