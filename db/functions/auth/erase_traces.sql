create or replace function auth.erase_traces(
    p_user_id uuid,
    p_email_hash bytea
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform auth.end_sessions(p_user_id);
    update auth.sessions as s
    set device_type = null, device_name = null, browser_fingerprint = null, successor_encrypted = null
    where s.user_id = p_user_id;
    update auth.kyc_verifications as kv set kyc_data = null where kv.user_id = p_user_id;
    update auth.company_members as cm set is_active = false, deleted_at = now()
    where cm.user_id = p_user_id and cm.deleted_at is null;
    update auth.email_events as ee
    set
        template_data = '{}', secret_encrypted = null, encryption_version = null, claimed_by = null, error = null,
        status = case when ee.status = 'queued' then 'failed' else ee.status end
    where ee.user_id = p_user_id;
    -- They go when their coins are off sale.
    update auth.user_devices as ud set closed_at = now() where ud.user_id = p_user_id and ud.closed_at is null;
    delete from auth.one_time_tokens as ott where ott.user_id = p_user_id;
    -- Those from before the account, too.
    delete from auth.login_attempts as la where la.user_id = p_user_id or la.email_hash = p_email_hash;
end
$$;

comment on function auth.erase_traces(uuid, bytea) is
'Removes what tells of a person outside of auth.users: ends and blanks sessions, memberships, emails, tries to log in.
p_user_id: of whom. p_email_hash: the keyed hash of their address; null: they have none.
Errors: none.';

revoke all on function auth.erase_traces(uuid, bytea) from public;
