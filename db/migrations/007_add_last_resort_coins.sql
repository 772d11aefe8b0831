set local role aqm_coins_owner;

create table coins.last_resort_coin (
    user_id uuid not null,
    coin_category varchar(6) not null check (coin_category in ('GOLD', 'SILVER', 'BRONZE')),
    key_id varchar(36) not null,
    public_key_blob bytea not null,
    signature_blob bytea not null,
    stored_at timestamptz not null default now(),
    constraint pk_last_resort_coin primary key (user_id, coin_category)
);

alter table coins.last_resort_coin alter column public_key_blob set storage external;
alter table coins.last_resort_coin alter column signature_blob set storage external;

comment on table coins.last_resort_coin is 'What a sender that accepts it gets when the one-time coins are gone; handed out again and again.';
comment on column coins.last_resort_coin.key_id is 'The device''s own name for the key pair.';

-- A domain with a default is an optional field in JSON.
-- squawk-ignore ban-create-domain-with-constraint
create domain coins.coins_wanted as integer default 1;
comment on domain coins.coins_wanted is 'Coins wanted, 1 to 100.';
-- squawk-ignore ban-create-domain-with-constraint
create domain coins.last_resort_accepted as boolean default false;
comment on domain coins.last_resort_accepted is 'Whether a coin that others get as well is better than none.';

create type coins.claim_wish as (
    target_user_id uuid,
    coin_category text,
    count coins.coins_wanted,
    accept_last_resort coins.last_resort_accepted
);

comment on type coins.claim_wish is 'What a sender wants of one recipient.';
comment on column coins.claim_wish.target_user_id is 'The recipient.';
comment on column coins.claim_wish.coin_category is 'GOLD, SILVER or BRONZE.';
comment on column coins.claim_wish.count is 'Coins wanted, 1 to 100.';
comment on column coins.claim_wish.accept_last_resort is 'Whether a coin that others get as well is better than none.';

create type coins.given_coin as (
    key_id text,
    coin_category text,
    public_key_blob bytea,
    signature_blob bytea,
    last_resort boolean
);

comment on type coins.given_coin is 'A coin as a sender receives it.';
comment on column coins.given_coin.key_id is 'The name by which the recipient finds the private key.';
comment on column coins.given_coin.coin_category is 'GOLD, SILVER or BRONZE.';
comment on column coins.given_coin.public_key_blob is 'The public key to encrypt to.';
comment on column coins.given_coin.signature_blob is 'The recipient''s signature of the public key; check it.';
comment on column coins.given_coin.last_resort is 'True: other senders get this coin too.';

create type coins.claim_outcome as (
    target_user_id uuid,
    coin_category text,
    requested integer,
    remaining integer,
    retry_after integer,
    coins coins.given_coin[] -- noqa: LT01
);

comment on type coins.claim_outcome is 'What a sender got of one recipient.';
comment on column coins.claim_outcome.target_user_id is 'The recipient.';
comment on column coins.claim_outcome.coin_category is 'GOLD, SILVER or BRONZE.';
comment on column coins.claim_outcome.requested is 'Coins wanted.';
comment on column coins.claim_outcome.remaining is 'Unclaimed coins that are left.';
comment on column coins.claim_outcome.retry_after is 'Seconds after which the quota gives a coin; null: no quota stood in the way.';
comment on column coins.claim_outcome.coins is 'The coins, oldest first.';
