set local role aqm_gateway_owner;

-- Each gets an argument or a column more: the files of today make them anew.
drop function if exists gateway.expose(text, text, text, text, text, boolean, jsonb);
drop function if exists gateway.list_routes();
drop function if exists gateway.list_fields();

alter table gateway.route
add column needs_keys boolean not null default false,
add column is_costly boolean not null default false,
add column cache_seconds integer
constraint ck_route_cache_seconds check (
    cache_seconds is null or (cache_seconds between 1 and 86400 and method = 'GET' and channel is null)
);

comment on column gateway.route.needs_keys is 'The gateway hands its data keys to the call, as settings of the transaction.';
comment on column gateway.route.is_costly is 'A call takes a core for long: a gateway gives all such calls together a share of the machine.';

comment on column gateway.route.cache_seconds is 'For how long gateways keep an answer; null: they don''t.';

create domain gateway.token_claims as jsonb;

comment on domain gateway.token_claims is 'What an access token says (RFC 7519): sub, role, sid, iat, exp, …; a column of this type leaves the gateway signed.';

create table gateway.revocation (
    session_id uuid not null,
    issued_until timestamptz not null,
    expires_at timestamptz not null,
    constraint pk_revocation primary key (session_id)
);

comment on table gateway.revocation is 'Sessions whose tokens gateways must refuse although they have not expired; written by gateway.revoke_session().';
comment on column gateway.revocation.issued_until is 'Tokens issued until then are void.';
comment on column gateway.revocation.expires_at is 'When the last such token has expired and the row is of no use.';

-- For the purge.
create index idx_revocation_expires_at on gateway.revocation (expires_at);
