-- Roles belong to the whole cluster and may be there already, made by another database.
do $$
begin
    if not exists (select from pg_roles as r where r.rolname = 'aqm_escrow_owner') then
        create role aqm_escrow_owner nologin;
    end if;
    -- A migrator that is no superuser must be able to become the owner.
    if not (select r.rolsuper from pg_roles as r where r.rolname = current_user) then
        execute format('grant aqm_escrow_owner to %I', current_user);
    end if;
end
$$;

create schema trigram;
create extension pg_trgm with schema trigram;
comment on schema trigram is 'The extension pg_trgm, for the contexts that search in texts.';

create schema escrow authorization aqm_escrow_owner;
comment on schema escrow is 'The marketplace: products, orders whose money a smart contract holds, disputes, reputation.';

grant usage on schema trigram to aqm_escrow_owner;
grant usage on schema escrow to aqm_anon, aqm_wallet, aqm_worker, aqm_admin;
grant usage on schema escrow to aqm_monitor, aqm_jobs, aqm_gateway, aqm_gateway_owner;
grant usage on schema gateway, ops to aqm_escrow_owner;
alter default privileges for role aqm_escrow_owner revoke execute on functions from public;

set local role aqm_escrow_owner;

create type escrow.order_status as enum (
    'created', 'seller_confirmed', 'completed', 'disputed', 'resolved_buyer', 'resolved_seller', 'cancelled', 'expired'
);
create type escrow.product_status as enum ('active', 'paused', 'sold_out', 'deleted');
create type escrow.product_category as enum ('data', 'accounts', 'tools', 'services', 'other');
create type escrow.user_tier as enum ('new', 'standard', 'trusted');
create type escrow.evidence_type as enum ('screenshot', 'conversation', 'product_proof', 'other');
create type escrow.chain_type as enum ('bsc', 'ethereum', 'arbitrum', 'base');
create type escrow.token_type as enum ('USDT', 'USDC');

create table escrow.user_profiles (
    wallet varchar(42) not null,
    display_name varchar(50),
    public_key varchar(88) not null,
    reputation_score decimal(6, 2) not null default 0,
    total_trades integer not null default 0,
    total_as_buyer integer not null default 0,
    total_as_seller integer not null default 0,
    rating decimal(3, 2) default null,
    rating_count integer not null default 0,
    rating_sum integer not null default 0,
    reputation_sum decimal not null default 0,
    tier escrow.user_tier not null default 'new',
    is_blacklisted boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint user_profiles_pkey primary key (wallet),
    constraint chk_wallet_form check (wallet ~ '^0x[0-9a-fA-F]{40}$')
);

comment on table escrow.user_profiles is 'People of the marketplace, each known by a wallet; nothing else about them is stored.';
comment on column escrow.user_profiles.wallet is 'Ethereum address with its checksum (EIP-55).';
comment on column escrow.user_profiles.public_key is 'NaCl public key (32 bytes) for messages, in base64.';
comment on column escrow.user_profiles.reputation_score is 'reputation_sum, as far as the column holds it: -9999.99 to 9999.99.';
comment on column escrow.user_profiles.reputation_sum is 'escrow.trade_score() of all orders, and 0.5 for each review of five stars.';
comment on column escrow.user_profiles.total_trades is 'Orders that ended by completion or by a ruling.';
comment on column escrow.user_profiles.rating is 'Mean of the reviews; null: there are none.';
comment on column escrow.user_profiles.rating_count is 'How many reviews the rating is of.';
comment on column escrow.user_profiles.rating_sum is 'Their sum, so that one more costs no look at the others.';
comment on column escrow.user_profiles.tier is 'escrow.tier_of() trades and rating.';
comment on column escrow.user_profiles.is_blacklisted is 'There is a row in blacklist; a trigger keeps it so.';

create table escrow.products (
    id uuid not null default gen_random_uuid(),
    seller_wallet varchar(42) not null constraint products_seller_wallet_fkey references escrow.user_profiles (wallet),
    title_preview varchar(100) not null,
    description_preview varchar(500) not null,
    category escrow.product_category not null,
    price_usdt decimal(18, 6) not null,
    stock integer not null default 1,
    total_sold integer not null default 0,
    product_hash varchar(66) not null,
    status escrow.product_status not null default 'active',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint products_pkey primary key (id),
    constraint chk_price_min check (price_usdt >= 1.0),
    constraint chk_stock_positive check (stock >= 0),
    constraint chk_total_sold_positive check (total_sold >= 0)
);

comment on table escrow.products is 'Listings. Only previews are here: what is sold is encrypted and elsewhere.';
comment on column escrow.products.price_usdt is 'In USDT, with its six decimals.';
comment on column escrow.products.total_sold is 'Orders of it that were completed or ruled for the seller.';
comment on column escrow.products.product_hash is 'SHA-256 of what is sold, 0x and 64 hex digits, as the contract has it.';
comment on column escrow.products.deleted_at is 'When the seller deleted it; null: it was not.';

create table escrow.orders (
    id uuid not null default gen_random_uuid(),
    onchain_order_id bigint not null,
    chain escrow.chain_type not null,
    buyer_wallet varchar(42) not null constraint orders_buyer_wallet_fkey references escrow.user_profiles (wallet),
    seller_wallet varchar(42) not null constraint orders_seller_wallet_fkey references escrow.user_profiles (wallet),
    arbitrator_wallet varchar(42) constraint orders_arbitrator_wallet_fkey references escrow.user_profiles (wallet),
    product_id uuid not null constraint orders_product_id_fkey references escrow.products (id),
    token escrow.token_type not null,
    amount decimal(18, 6) not null,
    platform_fee decimal(18, 6) not null,
    status escrow.order_status not null default 'created',
    product_key_encrypted text,
    tx_hash_create varchar(66) not null,
    tx_hash_complete varchar(66),
    seller_confirmed_at timestamptz,
    dispute_opened_at timestamptz,
    dispute_deadline timestamptz,
    completed_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    cancelled_by varchar(42),
    party_status escrow.order_status not null default 'created',
    chain_status escrow.order_status,
    holds_item boolean not null default true,
    constraint orders_pkey primary key (id),
    constraint chk_amount_min check (amount >= 1.0),
    constraint chk_buyer_not_seller check (buyer_wallet <> seller_wallet),
    constraint uq_onchain_order unique (chain, onchain_order_id),
    constraint chk_cancelled_by check (cancelled_by in (buyer_wallet, seller_wallet))
);

comment on table escrow.orders is 'Orders, each mirrored by one in the smart contract, which is the source of truth.';
comment on column escrow.orders.onchain_order_id is 'The contract''s number of it; negative: the contract has others under the number that was claimed.';
comment on column escrow.orders.arbitrator_wallet is 'Who rules, once there is a dispute; null: nobody.';
comment on column escrow.orders.amount is 'The product''s price when it was ordered.';
comment on column escrow.orders.platform_fee is '2 % of the amount.';
comment on column escrow.orders.status is 'Where it stands: escrow.effective_status() of party_status and chain_status.';
comment on column escrow.orders.product_key_encrypted is 'The product''s key, encrypted for the buyer, in base64; null: the seller has not confirmed.';
comment on column escrow.orders.tx_hash_create is 'Transaction that created it, 0x and 64 hex digits.';
comment on column escrow.orders.tx_hash_complete is 'Transaction of its completion or ruling.';
comment on column escrow.orders.dispute_deadline is 'When another arbitrator is assigned.';
comment on column escrow.orders.cancelled_by is 'The party that cancelled; null: nobody, or the contract does not say.';
comment on column escrow.orders.party_status is 'Where the steps of parties and time alone have brought it.';
comment on column escrow.orders.chain_status is 'What the contract''s last event says; null: none has come.';
comment on column escrow.orders.holds_item is 'It took one of the product''s stock, and has not given it back.';

create table escrow.messages (
    id uuid not null default gen_random_uuid(),
    order_id uuid not null constraint messages_order_id_fkey references escrow.orders (id) on delete cascade,
    sender_wallet varchar(42) not null constraint messages_sender_wallet_fkey references escrow.user_profiles (wallet),
    ciphertext text not null,
    nonce varchar(44) not null,
    created_at timestamptz not null default now(),
    constraint messages_pkey primary key (id)
);

comment on table escrow.messages is 'Messages within an order, encrypted end to end: nobody here can read them.';
comment on column escrow.messages.ciphertext is 'NaCl box, in base64.';
comment on column escrow.messages.nonce is 'Its nonce (24 bytes), in base64.';

create table escrow.reviews (
    id uuid not null default gen_random_uuid(),
    order_id uuid not null constraint reviews_order_id_fkey references escrow.orders (id),
    reviewer_wallet varchar(42) not null
    constraint reviews_reviewer_wallet_fkey references escrow.user_profiles (wallet),
    target_wallet varchar(42) not null constraint reviews_target_wallet_fkey references escrow.user_profiles (wallet),
    rating smallint not null,
    created_at timestamptz not null default now(),
    constraint reviews_pkey primary key (id),
    constraint chk_rating_range check (rating between 1 and 5),
    constraint chk_reviewer_not_target check (reviewer_wallet <> target_wallet),
    constraint uq_one_review_per_order unique (order_id, reviewer_wallet)
);

comment on table escrow.reviews is 'What each party thinks of the other after an order.';

create table escrow.arbitrators (
    wallet varchar(42) not null constraint arbitrators_wallet_fkey references escrow.user_profiles (wallet),
    stake_amount decimal(18, 6) not null,
    stake_token varchar(42) not null,
    reputation smallint not null default 50,
    total_resolved integer not null default 0,
    total_earned decimal(18, 6) not null default 0,
    is_active boolean not null default true,
    registered_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint arbitrators_pkey primary key (wallet),
    constraint chk_reputation_range check (reputation between 0 and 100),
    constraint chk_stake_min check (stake_amount >= 500.0)
);

comment on table escrow.arbitrators is 'Who may rule on disputes; the contract of the pool is the source of truth.';
comment on column escrow.arbitrators.stake_amount is 'In USDT.';
comment on column escrow.arbitrators.stake_token is 'Contract address of the token that is staked.';
comment on column escrow.arbitrators.reputation is '0 to 100; below 10 nobody stays active.';

create table escrow.dispute_evidence (
    id uuid not null default gen_random_uuid(),
    order_id uuid not null constraint dispute_evidence_order_id_fkey references escrow.orders (id),
    submitter_wallet varchar(42) not null
    constraint dispute_evidence_submitter_wallet_fkey references escrow.user_profiles (wallet),
    ipfs_hash varchar(100) not null,
    evidence_type escrow.evidence_type not null default 'other',
    created_at timestamptz not null default now(),
    constraint dispute_evidence_pkey primary key (id)
);

comment on table escrow.dispute_evidence is 'Where the evidence of a dispute is; it is encrypted for the parties and the arbitrator.';
comment on column escrow.dispute_evidence.ipfs_hash is 'Content identifier of IPFS.';

create table escrow.blacklist (
    wallet varchar(42) not null,
    reason varchar(200) not null,
    source varchar(50) not null default 'manual',
    added_by varchar(42),
    created_at timestamptz not null default now(),
    constraint blacklist_pkey primary key (wallet),
    constraint chk_wallet_form check (wallet ~ '^0x[0-9a-fA-F]{40}$')
);

comment on table escrow.blacklist is 'Wallets that may neither sign in nor trade.';
comment on column escrow.blacklist.source is 'manual, community or tornado.';
comment on column escrow.blacklist.added_by is 'Wallet of the admin; null: not told.';

create table escrow.event_sync_cursor (
    chain escrow.chain_type not null,
    contract varchar(42) not null,
    last_block bigint not null,
    updated_at timestamptz not null default now(),
    constraint event_sync_cursor_pkey primary key (chain)
);

comment on table escrow.event_sync_cursor is 'Up to which block each chain''s events have been applied.';
comment on column escrow.event_sync_cursor.contract is 'Address of the contract whose events are followed.';

create table escrow.chain_event (
    chain escrow.chain_type not null,
    block bigint not null check (block >= 0),
    log_index integer not null check (log_index >= 0),
    contract varchar(42) not null,
    kind text not null,
    onchain_order_id bigint,
    wallet varchar(42),
    payload jsonb not null,
    recorded_at timestamptz not null default now(),
    constraint pk_chain_event primary key (chain, block, log_index),
    constraint ck_chain_event_subject check (num_nonnulls(onchain_order_id, wallet) = 1)
);

comment on table escrow.chain_event is 'What the contracts said, each event once. Orders and arbitrators follow the last of theirs.';
comment on column escrow.chain_event.kind is 'An order''s new status, or arbitrator_registered, arbitrator_withdrawn.';
comment on column escrow.chain_event.onchain_order_id is 'The order that it is about; null: it is about an arbitrator.';
comment on column escrow.chain_event.wallet is 'The arbitrator that it is about, in lower case; null: it is about an order.';

create index idx_chain_event_order on escrow.chain_event (chain, onchain_order_id, block desc, log_index desc)
where onchain_order_id is not null;
create index idx_chain_event_wallet on escrow.chain_event (wallet, recorded_at) where wallet is not null;

create table escrow.order_transition (
    from_status escrow.order_status not null,
    to_status escrow.order_status not null,
    actor text not null check (actor in ('buyer', 'seller', 'arbitrator', 'time')),
    constraint pk_order_transition primary key (from_status, to_status, actor)
);

comment on table escrow.order_transition is 'The steps that an order may take, and who may take them: there are no others.';

insert into escrow.order_transition (from_status, to_status, actor)
values
('created', 'seller_confirmed', 'seller'),
('created', 'cancelled', 'buyer'),
('created', 'cancelled', 'seller'),
('created', 'expired', 'time'),
('seller_confirmed', 'completed', 'buyer'),
('seller_confirmed', 'completed', 'time'),
('seller_confirmed', 'disputed', 'buyer'),
('seller_confirmed', 'disputed', 'seller'),
('disputed', 'resolved_buyer', 'arbitrator'),
('disputed', 'resolved_seller', 'arbitrator');

create table escrow.order_step (
    order_id uuid not null constraint fk_order_step_order references escrow.orders (id) on delete cascade,
    place integer not null generated always as identity,
    from_status escrow.order_status not null,
    to_status escrow.order_status not null,
    wallet varchar(42),
    tx_hash varchar(66),
    taken_at timestamptz not null default now(),
    constraint pk_order_step primary key (order_id, place)
);

comment on table escrow.order_step is 'Each step that a party took over an order, with the transaction that took it in the contract.';
comment on column escrow.order_step.wallet is 'Who took it; null: time.';
comment on column escrow.order_step.tx_hash is 'Its transaction; null: of time.';

create table escrow.sign_in_nonce (
    nonce text not null,
    wallet varchar(42) not null,
    expires_at timestamptz not null,
    constraint pk_sign_in_nonce primary key (nonce)
);

comment on table escrow.sign_in_nonce is 'Nonces that wait for their signature; each is good once.';

create index idx_sign_in_nonce_expires_at on escrow.sign_in_nonce (expires_at);

-- The seed's.
create index idx_users_tier on escrow.user_profiles (tier);
create index idx_users_rating on escrow.user_profiles (rating desc nulls last);
-- What a contract's event or a public list names has no checksum.
create index idx_users_lower_wallet on escrow.user_profiles (lower(wallet));
create index idx_users_blacklisted on escrow.user_profiles (wallet) where is_blacklisted = true;
create index idx_products_seller on escrow.products (seller_wallet);
create index idx_products_category on escrow.products (category) where status = 'active';
create index idx_products_price on escrow.products (price_usdt) where status = 'active';
create index idx_products_created on escrow.products (created_at desc) where status = 'active';
create index idx_products_search on escrow.products using gin (
    (title_preview || ' ' || description_preview) trigram.gin_trgm_ops
) where status = 'active';
create index idx_orders_buyer on escrow.orders (buyer_wallet);
create index idx_orders_seller on escrow.orders (seller_wallet);
create index idx_orders_arbitrator on escrow.orders (arbitrator_wallet) where arbitrator_wallet is not null;
create index idx_orders_product on escrow.orders (product_id);
create index idx_orders_status on escrow.orders (status);
create index idx_orders_chain_status on escrow.orders (chain, status);
create index idx_orders_created on escrow.orders (created_at desc);
create index idx_orders_seller_timeout on escrow.orders (created_at) where status = 'created';
create index idx_orders_buyer_timeout on escrow.orders (seller_confirmed_at) where status = 'seller_confirmed';
create index idx_messages_order on escrow.messages (order_id, created_at);
create index idx_messages_sender on escrow.messages (sender_wallet);
create index idx_reviews_target on escrow.reviews (target_wallet);
create index idx_reviews_order on escrow.reviews (order_id);
create index idx_evidence_order on escrow.dispute_evidence (order_id);
-- A page of one's own orders, of 100,000 too: the seed's would read and sort them all (1.9 s).
create index idx_orders_buyer_status on escrow.orders (buyer_wallet, status, created_at desc);
create index idx_orders_seller_status on escrow.orders (seller_wallet, status, created_at desc);
create index idx_orders_arbitrator_status on escrow.orders (arbitrator_wallet, status, created_at desc)
where arbitrator_wallet is not null;
-- Whose deadline has passed.
create index idx_orders_dispute_timeout on escrow.orders (dispute_deadline) where status = 'disputed';
-- For the purges.
create index idx_products_deleted on escrow.products (deleted_at) where deleted_at is not null;

alter table escrow.orders set (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
alter table escrow.messages set (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);

create type escrow.challenge as (
    nonce text,
    message text,
    expires_at timestamptz
);

comment on type escrow.challenge is 'What a wallet signs to sign in.';
comment on column escrow.challenge.message is 'The text to sign, as it is (EIP-191).';
comment on column escrow.challenge.expires_at is 'Until when it is accepted, once.';

create type escrow.wallet_token as (
    access_token gateway.token_claims,
    token_type text,
    expires_in integer,
    wallet text,
    is_new boolean
);

comment on type escrow.wallet_token is 'What a sign-in gives.';
comment on column escrow.wallet_token.access_token is 'For the header Authorization.';
comment on column escrow.wallet_token.expires_in is 'Seconds for which it is good.';
comment on column escrow.wallet_token.is_new is 'The profile was made by this sign-in.';

create type escrow.profile_view as (
    wallet text,
    display_name text,
    public_key bytea,
    reputation_score numeric,
    total_trades integer,
    total_as_buyer integer,
    total_as_seller integer,
    rating numeric,
    tier escrow.user_tier,
    is_blacklisted boolean,
    created_at timestamptz
);

comment on type escrow.profile_view is 'A person of the marketplace as everybody sees them.';
comment on column escrow.profile_view.display_name is 'Null: none chosen.';
comment on column escrow.profile_view.public_key is 'NaCl public key for messages, 32 bytes.';
comment on column escrow.profile_view.rating is 'Mean of the reviews, 1.00 to 5.00; null: there are none.';

create type escrow.product_view as (
    id uuid,
    seller_wallet text,
    seller_display_name text,
    seller_rating numeric,
    title_preview text,
    description_preview text,
    category escrow.product_category,
    price_usdt numeric,
    stock integer,
    total_sold integer,
    product_hash text,
    status escrow.product_status,
    created_at timestamptz,
    updated_at timestamptz
);

comment on type escrow.product_view is 'A listing and its seller.';
comment on column escrow.product_view.seller_display_name is 'Null: none chosen.';
comment on column escrow.product_view.seller_rating is 'Mean of the seller''s reviews; null: there are none.';
comment on column escrow.product_view.product_hash is 'SHA-256 of what is sold: 0x and 64 hex digits.';

create type escrow.order_view as (
    id uuid,
    onchain_order_id bigint,
    chain escrow.chain_type,
    buyer_wallet text,
    seller_wallet text,
    arbitrator_wallet text,
    product_id uuid,
    token escrow.token_type,
    amount numeric,
    platform_fee numeric,
    status escrow.order_status,
    product_key_encrypted bytea,
    tx_hash_create text,
    tx_hash_complete text,
    cancelled_by text,
    seller_confirmed_at timestamptz,
    dispute_opened_at timestamptz,
    dispute_deadline timestamptz,
    completed_at timestamptz,
    created_at timestamptz,
    updated_at timestamptz
);

comment on type escrow.order_view is 'An order as its parties and its arbitrator see it.';
comment on column escrow.order_view.arbitrator_wallet is 'Null: there is none.';
comment on column escrow.order_view.product_key_encrypted is 'The product''s key, encrypted for the buyer; null: the seller has not confirmed.';
comment on column escrow.order_view.tx_hash_complete is 'Null: it is not completed.';
comment on column escrow.order_view.cancelled_by is 'Null: it is not cancelled, or the contract does not say by whom.';
comment on column escrow.order_view.seller_confirmed_at is 'Null: it was not.';
comment on column escrow.order_view.dispute_opened_at is 'Null: there was no dispute.';
comment on column escrow.order_view.dispute_deadline is 'Null: there was no dispute.';
comment on column escrow.order_view.completed_at is 'When it was completed or ruled on; null: it was not.';

create type escrow.message_view as (
    id uuid,
    sender_wallet text,
    ciphertext bytea,
    nonce bytea,
    created_at timestamptz
);

comment on type escrow.message_view is 'An encrypted message within an order.';
comment on column escrow.message_view.nonce is '24 bytes.';

create type escrow.evidence_view as (
    id uuid,
    submitter_wallet text,
    ipfs_hash text,
    evidence_type escrow.evidence_type,
    created_at timestamptz
);

comment on type escrow.evidence_view is 'Where a piece of evidence is.';

create type escrow.review_view as (
    id uuid,
    order_id uuid,
    reviewer_wallet text,
    target_wallet text,
    rating smallint,
    created_at timestamptz
);

comment on type escrow.review_view is 'What one party of an order thinks of the other: 1 to 5 stars.';

create type escrow.arbitrator_view as (
    wallet text,
    display_name text,
    public_key bytea,
    reputation smallint,
    total_resolved integer,
    stake_amount numeric,
    stake_token text,
    registered_at timestamptz
);

comment on type escrow.arbitrator_view is 'An active arbitrator.';
comment on column escrow.arbitrator_view.display_name is 'Null: none chosen.';

create type escrow.blacklist_entry as (
    wallet text,
    reason text,
    source text,
    added_by text,
    created_at timestamptz
);

comment on type escrow.blacklist_entry is 'A wallet that may neither sign in nor trade.';
comment on column escrow.blacklist_entry.added_by is 'Null: not told.';

create type escrow.day_stats as (
    day date,
    total_orders bigint,
    completed bigint,
    disputes bigint,
    cancelled bigint,
    total_volume numeric,
    total_fees numeric
);

comment on type escrow.day_stats is 'What was ordered on one day (UTC).';
comment on column escrow.day_stats.disputes is 'Orders that are or were disputed.';
comment on column escrow.day_stats.total_volume is 'Amounts of the completed ones.';
comment on column escrow.day_stats.total_fees is 'Fees of the completed ones.';

create type escrow.chain_cursor as (
    chain escrow.chain_type,
    contract text,
    last_block bigint,
    updated_at timestamptz
);

comment on type escrow.chain_cursor is 'Up to which block a chain''s events have been applied.';
