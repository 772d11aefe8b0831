drop index auth.idx_email_events_given_up;
drop index auth.idx_user_devices_closed;

-- The functions before would discard nothing for them.
delete from auth.user_devices
where closed_at is not null;
-- And would send the address of before to that of now, as a secret.
update auth.email_events
set status = 'failed', secret_encrypted = null, encryption_version = null
where has_own_address and status = 'queued';

alter table auth.user_devices drop column closed_at;
alter table auth.email_events drop column has_own_address, drop column claimed_by, drop column given_up_at;
alter table auth.users drop column email_assigned_at;

comment on column auth.audit_heads.month is null;
comment on column auth.audit_heads.rows_sealed is null;
comment on column auth.audit_heads.chain_hash is null;
comment on column auth.audit_heads.sealed_at is null;
comment on column auth.audit_logs.id is null;
comment on column auth.audit_logs.created_at is null;
comment on column auth.audit_logs.session_id is null;
comment on column auth.audit_logs.address is null;
comment on column auth.companies.id is null;
comment on column auth.companies.name is null;
comment on column auth.companies.is_active is null;
comment on column auth.companies.created_at is null;
comment on column auth.companies.updated_at is null;
comment on column auth.company_members.company_id is null;
comment on column auth.company_members.user_id is null;
comment on column auth.company_members.role is null;
comment on column auth.company_members.is_active is null;
comment on column auth.company_members.created_at is null;
comment on column auth.company_members.deleted_at is null;
comment on column auth.data_keys.version is null;
comment on column auth.data_keys.created_at is null;
comment on column auth.email_events.id is null;
comment on column auth.email_events.user_id is null;
comment on column auth.email_events.template is null;
comment on column auth.email_events.encryption_version is null;
comment on column auth.email_events.status is null;
comment on column auth.email_events.attempts is null;
comment on column auth.email_events.created_at is null;
comment on column auth.email_events.sent_at is null;
comment on column auth.kyc_verifications.id is null;
comment on column auth.kyc_verifications.user_id is null;
comment on column auth.kyc_verifications.status is null;
comment on column auth.kyc_verifications.kyc_data is null;
comment on column auth.kyc_verifications.created_at is null;
comment on column auth.login_attempts.id is null;
comment on column auth.login_attempts.address is null;
comment on column auth.login_attempts.user_id is null;
comment on column auth.login_attempts.is_success is null;
comment on column auth.login_attempts.created_at is null;
comment on column auth.one_time_tokens.user_id is null;
comment on column auth.one_time_tokens.purpose is null;
comment on column auth.one_time_tokens.created_at is null;
comment on column auth.one_time_tokens.expires_at is null;
comment on column auth.one_time_tokens.used_at is null;
comment on column auth.partner_configs.id is null;
comment on column auth.partner_configs.company_id is null;
comment on column auth.partner_configs.product_domain is null;
comment on column auth.partner_configs.config is null;
comment on column auth.partner_configs.is_active is null;
comment on column auth.partner_configs.created_at is null;
comment on column auth.partner_configs.updated_at is null;
comment on column auth.partner_configs.deleted_at is null;
comment on column auth.sessions.id is null;
comment on column auth.sessions.user_id is null;
comment on column auth.sessions.device_type is null;
comment on column auth.sessions.device_name is null;
comment on column auth.sessions.browser_fingerprint is null;
comment on column auth.sessions.created_at is null;
comment on column auth.sessions.last_active is null;
comment on column auth.sessions.expires_at is null;
comment on column auth.sessions.is_active is null;
comment on column auth.signing_keys.valid_from is null;
comment on column auth.user_devices.user_id is null;
comment on column auth.user_devices.created_at is null;
comment on column auth.user_roles.user_id is null;
comment on column auth.user_roles.product_domain is null;
comment on column auth.user_roles.role is null;
comment on column auth.user_roles.created_at is null;
comment on column auth.user_roles.updated_at is null;
comment on column auth.users.id is null;
comment on column auth.users.username is null;
comment on column auth.users.kyc_status is null;
comment on column auth.users.kyc_data is null;
comment on column auth.users.is_active is null;
comment on column auth.users.first_company_id is null;
comment on column auth.users.aadhaar_last_verified is null;
comment on column auth.users.email_verified_at is null;
comment on column auth.users.created_at is null;
comment on column auth.users.updated_at is null;

revoke usage on schema coins from aqm_auth_owner;
