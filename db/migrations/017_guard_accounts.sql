-- auth.discard_devices() takes the coins of deleted people off sale: the one place where auth calls coins.
grant usage on schema coins to aqm_auth_owner;

set local role aqm_auth_owner;

-- It gets one more argument.
drop function if exists auth.queue_email(uuid, text, jsonb, text);

alter table auth.users add column email_assigned_at timestamptz;

alter table auth.email_events
add column has_own_address boolean not null default false,
add column claimed_by text,
add column given_up_at timestamptz;

alter table auth.user_devices add column closed_at timestamptz;

update auth.user_devices as ud set closed_at = now()
from auth.users as u
where u.id = ud.user_id and u.deleted_at is not null;

-- Both have few rows and few pages; a partitioned table can't have its index made concurrently.
-- squawk-ignore require-concurrent-index-creation
create index idx_user_devices_closed on auth.user_devices (closed_at) where closed_at is not null;
-- squawk-ignore require-concurrent-index-creation
create index idx_email_events_given_up on auth.email_events (given_up_at) where given_up_at is not null;

-- The columns that had no comment, and the new ones.
comment on column auth.audit_heads.month is 'First day of the month whose chain it is.';
comment on column auth.audit_heads.rows_sealed is 'Rows in the chain so far.';
comment on column auth.audit_heads.chain_hash is 'Hash of the last row in the chain, SHA-256.';
comment on column auth.audit_heads.sealed_at is 'When the last row was sealed.';
comment on column auth.audit_logs.id is 'Number of the row; with created_at its key.';
comment on column auth.audit_logs.created_at is 'When it happened: the clock, not the begin of the transaction.';
comment on column auth.audit_logs.session_id is 'In which session; null: none.';
comment on column auth.audit_logs.address is 'Network address of the caller; null: nobody told, as in psql.';
comment on column auth.companies.id is 'Of the company.';
comment on column auth.companies.name is 'As the company writes it, 1 to 400 bytes.';
comment on column auth.companies.is_active is 'Whether it does business with us.';
comment on column auth.companies.created_at is 'When it was made.';
comment on column auth.companies.updated_at is 'When it was last changed.';
comment on column auth.company_members.company_id is 'Of which company.';
comment on column auth.company_members.user_id is 'Who.';
comment on column auth.company_members.role is 'owner, manager or member.';
comment on column auth.company_members.is_active is 'False: no member any more.';
comment on column auth.company_members.created_at is 'When they came first.';
comment on column auth.company_members.deleted_at is 'When they left; null: they did not.';
comment on column auth.data_keys.version is 'Number of the key in the gateways'' files, 1 to 32767.';
comment on column auth.data_keys.created_at is 'When it was first used.';
comment on column auth.email_events.id is 'Number of the email; with created_at its key.';
comment on column auth.email_events.user_id is 'To whom, or about whom; null: nobody in particular.';
comment on column auth.email_events.template is 'Which text it is, by the name that the worker knows it by.';
comment on column auth.email_events.encryption_version is 'Version of the key that secret_encrypted is encrypted with; null: there is no secret.';
comment on column auth.email_events.status is 'queued until it is sent or has failed.';
comment on column auth.email_events.attempts is 'How often it was claimed; five times at most.';
comment on column auth.email_events.created_at is 'When it was queued.';
comment on column auth.email_events.sent_at is 'When a worker said that it was sent; null: it was not.';
comment on column auth.email_events.has_own_address is 'It goes to the address that secret_encrypted holds, one that the person had before, and has no other secret.';
comment on column auth.email_events.claimed_by is 'Who has it: the token''s subject, or the database role; null: nobody.';
comment on column auth.email_events.given_up_at is 'When it failed for want of success at the fifth time; null: it did not, or failed since nobody should have it any more.';
comment on column auth.kyc_verifications.id is 'Number of the decision.';
comment on column auth.kyc_verifications.user_id is 'On whom.';
comment on column auth.kyc_verifications.status is 'What was decided.';
comment on column auth.kyc_verifications.kyc_data is 'What it rests on; null: nothing was told, or the person was erased.';
comment on column auth.kyc_verifications.created_at is 'When it was decided.';
comment on column auth.login_attempts.id is 'Number of the try.';
comment on column auth.login_attempts.address is 'Network of the caller as auth.address_block() has it; null: nobody told, as in psql.';
comment on column auth.login_attempts.user_id is 'Whose account it was; null: nobody''s.';
comment on column auth.login_attempts.is_success is 'Whether the password was right.';
comment on column auth.login_attempts.created_at is 'When it was tried.';
comment on column auth.one_time_tokens.user_id is 'Whose.';
comment on column auth.one_time_tokens.purpose is 'email_check or password_reset.';
comment on column auth.one_time_tokens.created_at is 'When it was made.';
comment on column auth.one_time_tokens.expires_at is 'Until when it is good.';
comment on column auth.one_time_tokens.used_at is 'When it was used; null: it was not.';
comment on column auth.partner_configs.id is 'Of the configuration.';
comment on column auth.partner_configs.company_id is 'Of which company.';
comment on column auth.partner_configs.product_domain is 'In which product.';
comment on column auth.partner_configs.config is 'What the product reads, a JSON object of at most 20000 bytes.';
comment on column auth.partner_configs.is_active is 'False: the product does not read it.';
comment on column auth.partner_configs.created_at is 'When it was first set.';
comment on column auth.partner_configs.updated_at is 'When it was last set.';
comment on column auth.partner_configs.deleted_at is 'When it was deleted, with its company; null: it was not.';
comment on column auth.sessions.id is 'Of the session: the claim sid of its access tokens.';
comment on column auth.sessions.user_id is 'Whose.';
comment on column auth.sessions.device_type is 'What the client said that it runs on, at most 50 bytes; null: not told.';
comment on column auth.sessions.device_name is 'Of the key store that logged in, at most 200 bytes; null: not role device.';
comment on column auth.sessions.browser_fingerprint is 'What the client told of itself, at most 200 bytes; null: not told.';
comment on column auth.sessions.created_at is 'When the person logged in.';
comment on column auth.sessions.last_active is 'When it was last refreshed.';
comment on column auth.sessions.expires_at is 'Until when it can be refreshed.';
comment on column auth.sessions.is_active is 'False: it was ended.';
comment on column auth.signing_keys.valid_from is 'When a gateway made it known.';
comment on column auth.user_devices.user_id is 'Whose.';
comment on column auth.user_devices.created_at is 'When it first logged in.';
comment on column auth.user_devices.closed_at is 'When the person''s account was deleted: a minute later auth.discard_devices() takes its coins off sale, and the row away; null: it was not.';
comment on column auth.user_roles.user_id is 'Who.';
comment on column auth.user_roles.product_domain is 'In which product.';
comment on column auth.user_roles.role is 'What they are there.';
comment on column auth.user_roles.created_at is 'When it was first given.';
comment on column auth.user_roles.updated_at is 'When it was last given or taken back.';
comment on column auth.users.id is 'Of the person: the subject of their tokens, but for devices.';
comment on column auth.users.username is '2 to 63 of a-z, 0-9, dot, dash and underscore; null: none chosen.';
comment on column auth.users.kyc_status is 'The last decision on who the person is.';
comment on column auth.users.kyc_data is 'What the last decision rests on; null: nothing was told.';
comment on column auth.users.is_active is 'False: locked or deleted, nobody logs in.';
comment on column auth.users.first_company_id is 'A company; null: none.';
comment on column auth.users.aadhaar_last_verified is 'When who they are was last verified; null: never.';
comment on column auth.users.email_verified_at is 'When the address proved to be theirs; null: not yet.';
comment on column auth.users.created_at is 'When the account was made.';
comment on column auth.users.updated_at is 'When it was last changed.';
comment on column auth.users.email_assigned_at is 'When somebody other than the person last changed the address: for 24 hours after that no token for a new password is sent; null: nobody did.';
