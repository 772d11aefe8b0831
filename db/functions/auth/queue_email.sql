create or replace function auth.queue_email(
    p_user_id uuid,
    p_template text,
    p_template_data jsonb default '{}',
    p_secret text default null,
    p_email text default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_secret constant text := coalesce(p_email, p_secret);
    v_version constant integer := case when v_secret is not null then auth.current_key('encryption') end;
begin
    perform auth.add_month('email_events', (now() at time zone 'UTC')::date);
    insert into auth.email_events (
        user_id, template, template_data, secret_encrypted, encryption_version, has_own_address
    )
    values (
        p_user_id, p_template, p_template_data, auth.encrypt_text(v_secret, v_version), v_version, p_email is not null
    );
end
$$;

comment on function auth.queue_email(uuid, text, jsonb, text, text) is
'Queues an email to a person; auth.claim_email_events() hands it to a worker.
p_user_id: to whom, locked by the caller, so that nobody is erased meanwhile. p_template: lower case, with underscores. p_template_data: what the template needs, nothing secret. p_secret: what only the recipient may see, kept encrypted until it is sent; null: nothing. p_email: an address that the person had before, to which it goes, kept as the secret that it then has no other of; null: it goes to the one that they have when it is claimed.
Errors: 23514 for a malformed template, PT503 without the data keys when there is a secret or an address.';

revoke all on function auth.queue_email(uuid, text, jsonb, text, text) from public;
