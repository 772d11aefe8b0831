create or replace function auth.void_emails(
    p_user_id uuid
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from auth.one_time_tokens as ott where ott.user_id = p_user_id;
    -- But for those that tell an old address what happens: whoever changed it must not be able to hold them back.
    update auth.email_events as ee
    set status = 'failed', secret_encrypted = null, encryption_version = null, claimed_by = null
    where ee.user_id = p_user_id and ee.status = 'queued' and not ee.has_own_address;
end
$$;

comment on function auth.void_emails(uuid) is
'Makes void what was sent to a person''s address, and has fail what waits to be sent there; what goes to an address that they had before still does.
p_user_id: whose, locked by the caller.
Errors: none.';

revoke all on function auth.void_emails(uuid) from public;
