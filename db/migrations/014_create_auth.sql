-- Roles belong to the whole cluster and may be there already, made by another database.
do $$
begin
    if not exists (select from pg_roles as r where r.rolname = 'aqm_auth_owner') then
        create role aqm_auth_owner nologin;
    end if;
    -- A migrator that is no superuser must be able to become the owner.
    if not (select r.rolsuper from pg_roles as r where r.rolname = current_user) then
        execute format('grant aqm_auth_owner to %I', current_user);
    end if;
end
$$;

-- A schema of its own: who may not use the schema, may not call what an extension opens to all.
create schema crypto;
create extension pgcrypto with schema crypto;
comment on schema crypto is 'The extension pgcrypto, for the contexts that encrypt.';

create schema auth authorization aqm_auth_owner;
comment on schema auth is 'People, sessions, roles, companies, and the record of what happened to them.';

grant usage on schema crypto to aqm_auth_owner;
grant usage on schema auth to aqm_anon, aqm_device, aqm_user, aqm_admin;
grant usage on schema auth to aqm_monitor, aqm_jobs, aqm_gateway, aqm_gateway_owner;
grant usage on schema gateway, ops to aqm_auth_owner;
alter default privileges for role aqm_auth_owner revoke execute on functions from public;

set local role aqm_auth_owner;

create type auth.kyc_status as enum ('pending', 'submitted', 'verified', 'rejected');
create type auth.email_status as enum ('queued', 'sent', 'failed');

create type auth.tokens as (
    access_token gateway.token_claims,
    refresh_token text,
    token_type text,
    expires_in integer,
    session_id uuid,
    subject uuid
);

comment on type auth.tokens is 'What a login gives.';
comment on column auth.tokens.access_token is 'For the header Authorization.';
comment on column auth.tokens.refresh_token is 'Good once, for the next two.';
comment on column auth.tokens.expires_in is 'Seconds for which the access token is good.';
comment on column auth.tokens.subject is 'Whom the access token is for: the user, or the key store of the named device.';

create type auth.user_account as (
    id uuid,
    email text,
    name text,
    username text,
    kyc_status auth.kyc_status,
    is_active boolean,
    first_company_id uuid,
    email_verified_at timestamptz,
    created_at timestamptz,
    updated_at timestamptz
);

comment on type auth.user_account is 'A person as they and an admin see them.';
comment on column auth.user_account.name is 'Null: not told.';
comment on column auth.user_account.username is 'Null: none chosen.';
comment on column auth.user_account.first_company_id is 'Null: none.';
comment on column auth.user_account.email_verified_at is 'Null: not verified.';

create type auth.session_view as (
    id uuid,
    role text,
    subject uuid,
    device_type text,
    device_name text,
    created_at timestamptz,
    last_active timestamptz,
    expires_at timestamptz
);

comment on type auth.session_view is 'A session as its user sees it.';
comment on column auth.session_view.device_type is 'Null: not told.';
comment on column auth.session_view.device_name is 'Null: not told.';

create type auth.role_grant as (
    product_domain text,
    role text,
    created_at timestamptz
);

comment on type auth.role_grant is 'What a person is in a product.';

create type auth.jwk as (
    kty text,
    crv text,
    x text,
    kid text,
    use text,
    alg text
);

comment on type auth.jwk is 'A public key as RFC 8037 has it.';

create type auth.audit_fault as (
    fault text,
    chain_position bigint,
    id bigint
);

comment on type auth.audit_fault is 'What is wrong with a month''s audit.';
comment on column auth.audit_fault.chain_position is 'Place in the chain.';
comment on column auth.audit_fault.id is 'Of the row; null: it is no one row''s.';

create type auth.key_use as (
    kind text,
    version integer,
    is_current boolean,
    users bigint,
    aadhaar_hashes bigint,
    email_secrets bigint
);

comment on type auth.key_use is 'What was written with a version of a data key.';
comment on column auth.key_use.is_current is 'What is written now is written with it; null: no such version is known.';
comment on column auth.key_use.users is 'Users whose email and name are encrypted, or whose email is hashed, with it.';
comment on column auth.key_use.email_secrets is 'Emails yet to be sent that have a secret.';

create type auth.email_to_send as (
    id bigint,
    created_at timestamptz,
    email text,
    template text,
    template_data jsonb,
    secret text,
    attempts integer
);

comment on type auth.email_to_send is 'An email that a worker has claimed.';
comment on column auth.email_to_send.email is 'To whom; null: the person was erased meanwhile.';
comment on column auth.email_to_send.secret is 'What only the recipient may see; null: nothing.';
comment on column auth.email_to_send.attempts is 'How often it was claimed, this time included.';

create type auth.company as (
    id uuid,
    name text,
    metadata jsonb,
    is_active boolean,
    created_at timestamptz,
    updated_at timestamptz
);

comment on type auth.company is 'A company as its members and an admin see it.';

create type auth.company_member as (
    user_id uuid,
    role text,
    created_at timestamptz
);

comment on type auth.company_member is 'Who belongs to a company.';

create type auth.partner_config as (
    id uuid,
    company_id uuid,
    product_domain text,
    config jsonb,
    created_at timestamptz,
    updated_at timestamptz
);

comment on type auth.partner_config is 'How a product behaves for a partner company.';

-- Which keys the rows were written with. The keys themselves are never here.
create table auth.data_keys (
    kind text not null check (kind in ('encryption', 'index')),
    version integer not null check (version between 1 and 32767),
    is_current boolean not null default true,
    proof bytea not null check (octet_length(proof) = 32),
    created_at timestamptz not null default now(),
    constraint pk_data_keys primary key (kind, version)
);

comment on table auth.data_keys is 'The versions of the data keys in use; the keys are in the gateway''s file and never in the database.';
comment on column auth.data_keys.kind is 'encryption: email and name. index: the keyed hashes that look-ups go by.';
comment on column auth.data_keys.is_current is 'What is written now is written with this version.';
comment on column auth.data_keys.proof is 'HMAC-SHA-256 of a constant: tells a wrong key before it does harm.';

create unique index idx_data_keys_current on auth.data_keys (kind) where is_current;

create table auth.companies (
    id uuid not null default gen_random_uuid(),
    name text not null check (octet_length(name) between 1 and 400),
    metadata jsonb not null default '{}',
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint pk_companies primary key (id)
);

comment on table auth.companies is 'Companies that people belong to and that partners are.';
comment on column auth.companies.metadata is 'What else is told about the company.';
comment on column auth.companies.deleted_at is 'When it was deleted; null: it was not.';

create table auth.users (
    id uuid not null default gen_random_uuid(),
    aadhaar_hash bytea check (octet_length(aadhaar_hash) = 32),
    email_hash bytea check (octet_length(email_hash) = 32),
    email_encrypted bytea,
    name_encrypted bytea,
    username text check (username ~ '^[a-z0-9][a-z0-9._-]{1,62}$'),
    password_hash text,
    kyc_status auth.kyc_status not null default 'pending',
    kyc_data jsonb,
    is_active boolean not null default true,
    first_company_id uuid constraint fk_users_first_company references auth.companies (id),
    aadhaar_last_verified timestamptz,
    email_verified_at timestamptz,
    encryption_version integer,
    index_version integer,
    aadhaar_version integer,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    erased_at timestamptz,
    constraint pk_users primary key (id),
    constraint ck_users_aadhaar_version check ((aadhaar_version is null) = (aadhaar_hash is null))
);

comment on table auth.users is 'People. Email and name are encrypted, what identifies them is a keyed hash.';
comment on column auth.users.aadhaar_hash is 'HMAC-SHA-256 of the Aadhaar number with the index key.';
comment on column auth.users.email_hash is 'HMAC-SHA-256 of the email address in its normal form with the index key: the blind index that a login goes by.';
comment on column auth.users.email_encrypted is 'OpenPGP message, AES-256 with integrity (pgp_sym_encrypt of pgcrypto).';
comment on column auth.users.name_encrypted is 'As email_encrypted.';
comment on column auth.users.password_hash is 'bcrypt of the password''s SHA-256 in base64, since bcrypt cuts at 72 bytes.';
comment on column auth.users.encryption_version is 'Version of the key that email and name are encrypted with.';
comment on column auth.users.index_version is 'Version of the key that email_hash is made with.';
comment on column auth.users.aadhaar_version is 'Version of the key that aadhaar_hash is made with; the number is not kept, so that no rotation can renew it.';
comment on column auth.users.deleted_at is 'When the account was deleted; null: it was not.';
comment on column auth.users.erased_at is 'When the person was erased: nothing readable is left.';

-- The names and columns of the seed; one address, one person, as long as the account lives.
create unique index idx_users_aadhaar_hash on auth.users (aadhaar_hash) where deleted_at is null;
create unique index idx_users_email_hash on auth.users (email_hash) where deleted_at is null;
create unique index idx_users_username on auth.users (username) where deleted_at is null;
create index idx_users_first_company on auth.users (first_company_id) where first_company_id is not null;
create index idx_users_kyc_data on auth.users using gin (kyc_data);
-- What a rotation of keys has still to do.
create index idx_users_encryption_version on auth.users (encryption_version);
create index idx_users_index_version on auth.users (index_version);
create index idx_users_aadhaar_version on auth.users (aadhaar_version) where aadhaar_version is not null;

create table auth.sessions (
    id uuid not null default gen_random_uuid(),
    user_id uuid not null constraint fk_sessions_user references auth.users (id),
    role text not null check (role in ('device', 'user', 'admin')),
    subject uuid not null,
    family_hash bytea not null check (octet_length(family_hash) = 32),
    refresh_token_hash bytea not null check (octet_length(refresh_token_hash) = 32),
    previous_token_hash bytea check (octet_length(previous_token_hash) = 32),
    successor_encrypted bytea,
    rotated_at timestamptz,
    access_token_exp timestamptz not null,
    device_type text check (octet_length(device_type) <= 50),
    device_name text check (octet_length(device_name) <= 200),
    browser_fingerprint text check (octet_length(browser_fingerprint) <= 200),
    created_at timestamptz not null default now(),
    last_active timestamptz not null default now(),
    expires_at timestamptz not null,
    is_active boolean not null default true,
    deleted_at timestamptz,
    constraint pk_sessions primary key (id)
)
-- A refresh changes what is indexed: room for the new row on the page of the old.
with (fillfactor = 80);

comment on table auth.sessions is 'Logins. A session is a family of refresh tokens, of which only the newest is good.';
comment on column auth.sessions.role is 'HTTP role of its access tokens.';
comment on column auth.sessions.subject is 'Subject of its access tokens: the user, or one device''s key store.';
comment on column auth.sessions.family_hash is 'SHA-256 of the first 16 bytes of its refresh tokens, which stay: a token with these and an unknown rest was used before.';
comment on column auth.sessions.refresh_token_hash is 'SHA-256 of the refresh token; the token itself is nowhere.';
comment on column auth.sessions.previous_token_hash is 'SHA-256 of the token before.';
comment on column auth.sessions.successor_encrypted is 'The newest token, readable with the one before it alone: for who asks again since an answer was lost.';
comment on column auth.sessions.rotated_at is 'When the token was last exchanged.';
comment on column auth.sessions.access_token_exp is 'When its newest access token expires.';
comment on column auth.sessions.deleted_at is 'When it was ended; null: it was not.';

-- The seed's; a refresh goes by the family, so that who comes with a used token finds the row too.
create unique index idx_sessions_refresh_token_hash on auth.sessions (refresh_token_hash);
create unique index idx_sessions_family_hash on auth.sessions (family_hash);
create index idx_sessions_user_device_type on auth.sessions (user_id, device_type, created_at desc);
create index idx_sessions_browser_fingerprint on auth.sessions (browser_fingerprint)
where browser_fingerprint is not null;
create index idx_sessions_active on auth.sessions (user_id, last_active) where is_active and deleted_at is null;
-- For the purge: since when it is over.
create index idx_sessions_over_at on auth.sessions (least(deleted_at, expires_at));

create table auth.user_devices (
    subject uuid not null,
    user_id uuid not null constraint fk_user_devices_user references auth.users (id),
    created_at timestamptz not null default now(),
    constraint pk_user_devices primary key (subject)
);

comment on table auth.user_devices is 'Key stores that a person has logged in with: a sender each for quotas and limits, so that there are only so many.';
comment on column auth.user_devices.subject is 'auth.device_id() of the person and the device''s name.';

create index idx_user_devices_user on auth.user_devices (user_id, created_at);

create table auth.user_roles (
    user_id uuid not null constraint fk_user_roles_user references auth.users (id),
    product_domain text not null check (product_domain ~ '^[a-z][a-z0-9_-]{0,49}$'),
    role text not null check (role ~ '^[a-z][a-z0-9_-]{0,49}$'),
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint pk_user_roles primary key (user_id, product_domain, role)
);

comment on table auth.user_roles is 'What a person is in a product: aqm/admin may log in as admin.';
comment on column auth.user_roles.is_active is 'False: it was taken back.';

create index idx_user_roles_user_product on auth.user_roles (user_id, product_domain) include (role) where is_active;

create table auth.company_members (
    company_id uuid not null constraint fk_company_members_company references auth.companies (id),
    user_id uuid not null constraint fk_company_members_user references auth.users (id),
    role text not null default 'member' check (role in ('owner', 'manager', 'member')),
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint pk_company_members primary key (company_id, user_id)
);

comment on table auth.company_members is 'Who belongs to a company.';

create index idx_company_members_user on auth.company_members (user_id);

create table auth.partner_configs (
    id uuid not null default gen_random_uuid(),
    company_id uuid not null constraint fk_partner_configs_company references auth.companies (id),
    product_domain text not null check (product_domain ~ '^[a-z][a-z0-9_-]{0,49}$'),
    config jsonb not null default '{}',
    is_active boolean not null default true,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint pk_partner_configs primary key (id)
);

comment on table auth.partner_configs is 'How a product behaves for a partner company.';

create unique index idx_partner_configs_company_product on auth.partner_configs (company_id, product_domain)
where deleted_at is null;

create table auth.email_events (
    id bigint not null generated always as identity,
    user_id uuid,
    template text not null check (template ~ '^[a-z][a-z0-9_]{0,49}$'),
    template_data jsonb not null default '{}',
    secret_encrypted bytea,
    encryption_version integer,
    status auth.email_status not null default 'queued',
    attempts integer not null default 0,
    claimed_until timestamptz,
    error text check (octet_length(error) <= 400),
    created_at timestamptz not null default now(),
    sent_at timestamptz,
    constraint pk_email_events primary key (created_at, id),
    -- What is not to be sent any more is not kept.
    constraint ck_email_events_secret check (
        (secret_encrypted is null) = (encryption_version is null) and (secret_encrypted is null or status = 'queued')
    )
)
partition by range (created_at);

comment on table auth.email_events is 'Emails to send: workers claim queued ones, a month is a partition.';
comment on column auth.email_events.template_data is 'What the template needs; nothing secret.';
comment on column auth.email_events.secret_encrypted is 'What only the recipient may see, such as a one-time token: OpenPGP message, as auth.users.email_encrypted.';
comment on column auth.email_events.claimed_until is 'A worker has it, or it rests after a failure, until then.';
comment on column auth.email_events.error is 'Why the last attempt failed.';

create index idx_email_events_template_data on auth.email_events using gin (template_data);
create index idx_email_events_created_brin on auth.email_events using brin (created_at);
create index idx_email_events_queued on auth.email_events (created_at, id) where status = 'queued';
create index idx_email_events_user on auth.email_events (user_id);

create table auth.audit_logs (
    id bigint not null generated always as identity,
    created_at timestamptz not null default clock_timestamp(),
    action text not null check (action ~ '^[a-z_]+\.[a-z_]+$'),
    actor text not null,
    user_id uuid,
    session_id uuid,
    address inet,
    detail jsonb not null default '{}',
    chain_position bigint,
    chain_hash bytea,
    constraint pk_audit_logs primary key (created_at, id),
    constraint ck_audit_logs_chain check ((chain_position is null) = (chain_hash is null))
)
partition by range (created_at);

comment on table auth.audit_logs is 'What happened to people and their sessions, append-only; a month is a partition and a chain.';
comment on column auth.audit_logs.action is 'What happened: session.opened, role.granted, ….';
comment on column auth.audit_logs.actor is 'Who did it: the token''s subject, or the database role.';
comment on column auth.audit_logs.user_id is 'To whom.';
comment on column auth.audit_logs.detail is 'What else; nothing secret and nobody''s name.';
comment on column auth.audit_logs.chain_position is 'Place in the month''s chain, from 1; null: not yet sealed by auth.seal_audit().';
comment on column auth.audit_logs.chain_hash is 'SHA-256 of the hash before and this row.';

create index idx_audit_logs_created_brin on auth.audit_logs using brin (created_at);
create index idx_audit_logs_user on auth.audit_logs (user_id, created_at desc);
create index idx_audit_logs_unsealed on auth.audit_logs (created_at) where chain_position is null;
create index idx_audit_logs_chain on auth.audit_logs (chain_position);

create table auth.audit_heads (
    month date not null,
    rows_sealed bigint not null,
    chain_hash bytea not null,
    sealed_at timestamptz not null default now(),
    constraint pk_audit_heads primary key (month)
);

comment on table auth.audit_heads is 'How far each month''s chain goes; the same line goes to the server''s log.';

create table auth.kyc_verifications (
    id bigint not null generated always as identity,
    user_id uuid not null constraint fk_kyc_verifications_user references auth.users (id),
    status auth.kyc_status not null,
    kyc_data jsonb,
    verified_by text not null,
    created_at timestamptz not null default now(),
    constraint pk_kyc_verifications primary key (id)
);

comment on table auth.kyc_verifications is 'Each decision on who a person is.';
comment on column auth.kyc_verifications.verified_by is 'Who decided: the token''s subject, or the database role.';

create index idx_kyc_verifications_user on auth.kyc_verifications (user_id, created_at desc);

create table auth.login_attempts (
    id bigint not null generated always as identity,
    email_hash bytea not null,
    address inet,
    user_id uuid,
    is_success boolean not null,
    created_at timestamptz not null default now(),
    constraint pk_login_attempts primary key (id)
);

comment on table auth.login_attempts is 'Tries to log in, for the lock-out; kept for a time.';
comment on column auth.login_attempts.email_hash is 'Whose account was tried, as auth.users.email_hash; whether there is one makes no difference.';

create index idx_login_attempts_account on auth.login_attempts (email_hash, created_at desc);
create index idx_login_attempts_address on auth.login_attempts (address, created_at desc) where not is_success;
-- For who is erased.
create index idx_login_attempts_user on auth.login_attempts (user_id) where user_id is not null;
create index idx_login_attempts_created_at on auth.login_attempts (created_at);

create table auth.one_time_tokens (
    token_hash bytea not null check (octet_length(token_hash) = 32),
    user_id uuid not null constraint fk_one_time_tokens_user references auth.users (id),
    purpose text not null check (purpose in ('email_check', 'password_reset')),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz,
    constraint pk_one_time_tokens primary key (token_hash)
);

comment on table auth.one_time_tokens is 'Tokens that are good once: proof that an email arrived, permission to set a new password.';
comment on column auth.one_time_tokens.token_hash is 'SHA-256 of the token; the token itself is nowhere.';

create index idx_one_time_tokens_user on auth.one_time_tokens (user_id, purpose);
create index idx_one_time_tokens_expires_at on auth.one_time_tokens (expires_at);

create table auth.signing_keys (
    kid text not null check (kid ~ '^[A-Za-z0-9_-]{43}$'),
    public_key bytea not null check (octet_length(public_key) = 32),
    valid_from timestamptz not null default now(),
    valid_until timestamptz,
    constraint pk_signing_keys primary key (kid)
);

comment on table auth.signing_keys is 'Public halves of the keys that access tokens are signed with; the private ones are in the gateways'' files.';
comment on column auth.signing_keys.kid is 'SHA-256 thumbprint of the key (RFC 7638), base64url.';
comment on column auth.signing_keys.public_key is 'Ed25519, 32 bytes (RFC 8032).';
comment on column auth.signing_keys.valid_until is 'Tokens signed with it are refused from then on; null: it is in use.';
