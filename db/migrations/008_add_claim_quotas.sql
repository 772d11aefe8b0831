set local role aqm_coins_owner;

create table coins.claim_quota (
    scope text not null check (scope in ('pair', 'recipient')),
    coins integer not null check (coins between 1 and 1000000),
    period interval not null check (period between interval '1 second' and interval '366 days'),
    is_enabled boolean not null default false,
    microseconds_a_coin bigint not null
    generated always as (floor(extract(epoch from period) * 1000000 / coins)::bigint) stored,
    constraint pk_claim_quota primary key (scope)
);

comment on table coins.claim_quota is 'How many coins may be claimed in a time; set by coins.set_claim_quota().';
comment on column coins.claim_quota.scope is 'pair: by one sender of one recipient. recipient: by all senders together of one recipient.';
comment on column coins.claim_quota.coins is 'So many at once; used ones come back evenly over the period.';
comment on column coins.claim_quota.microseconds_a_coin is 'Time in which one coin comes back.';

-- Each claim asks whether there is any.
create index idx_claim_quota_enabled on coins.claim_quota (scope)
where is_enabled;

insert into coins.claim_quota (scope, coins, period)
values
('pair', 1000, interval '1 day'),
('recipient', 10000, interval '1 day');

create table coins.quota_use (
    target_user_id uuid not null,
    requester_id uuid,
    full_at timestamptz not null,
    constraint uq_quota_use unique nulls not distinct (target_user_id, requester_id)
)
with (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0.05
);

comment on table coins.quota_use is 'Quotas that are in part used up; a row goes when its quota is full again.';
comment on column coins.quota_use.requester_id is 'The sender; null: all senders together.';
comment on column coins.quota_use.full_at is 'When the quota is full again: the theoretical arrival time of the generic cell rate algorithm (ITU-T I.371).';
