-- The claim functions take one more argument: their files bring them back.
drop function if exists coins.claim_coins(uuid, uuid, text, integer);
drop function if exists coins.claim_coins_batch(uuid[], uuid[], text[], integer[]);

set local role aqm_coins_owner;

create table coins.claim_request (
    requester_id uuid not null,
    request_id uuid not null,
    entry integer not null,
    asked bytea not null,
    key_ids text[] not null,
    remaining integer,
    retry_after integer,
    last_resort_key_id text,
    claimed_at timestamptz not null default now(),
    constraint pk_claim_request primary key (requester_id, request_id, entry)
)
with (
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02
);

comment on table coins.claim_request is 'Claims that carried a request id, so that a retry gets the same coins; forgotten after 24 hours.';
comment on column coins.claim_request.requester_id is 'The sender: a request id is its own.';
comment on column coins.claim_request.entry is 'Place in a claim of many recipients, from 1; 1 for a claim of one.';
comment on column coins.claim_request.asked is 'SHA-256 of the whole request''s other arguments: who was asked for is not kept.';
comment on column coins.claim_request.key_ids is 'The coins that were given, oldest first.';
comment on column coins.claim_request.remaining is 'Unclaimed coins that were left, where the answer says it.';
comment on column coins.claim_request.retry_after is 'Seconds after which a quota gives more, where the answer says it.';
comment on column coins.claim_request.last_resort_key_id is 'The last-resort coin that was given, if any.';

create index idx_claim_request_expiry on coins.claim_request (claimed_at);

-- Only the twin, which is dropped above, knows it.
-- squawk-ignore ban-drop-type
drop type coins.batch_claimed_coin;

create type coins.batch_claimed_coin as (
    call_number integer,
    error_code text,
    error_message text,
    error_detail text,
    key_id text,
    coin_category text,
    public_key_blob bytea,
    signature_blob bytea
);

comment on type coins.batch_claimed_coin is 'A claimed coin, or a refusal, with the number of the call that it answers.';
