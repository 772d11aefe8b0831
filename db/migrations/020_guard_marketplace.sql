-- Blacklisting is noted where all acts of admins are.
grant usage on schema auth to aqm_escrow_owner;

set local role aqm_gateway_owner;

-- No column has it: there is nothing to check while others wait.
-- squawk-ignore ban-alter-domain-with-add-constraint
alter domain gateway.wallet add constraint ck_wallet_form check (value ~ '^0x[0-9a-fA-F]{40}$');
comment on domain gateway.wallet is 'An Ethereum address. Over HTTP its checksum (EIP-55) is checked, and one in lower case gets its own; the database checks the form.';

reset role;
set local role aqm_escrow_owner;

-- One address, one profile, one entry, whatever its letters; of two spellings the one with the checksum stays.
delete from escrow.blacklist as b
using escrow.blacklist as other
where b.wallet = lower(other.wallet) and other.wallet <> b.wallet;
-- Few rows: the marketplace is new.
-- squawk-ignore require-concurrent-index-creation
create unique index uq_user_profiles_lower_wallet on escrow.user_profiles (lower(wallet));
-- squawk-ignore require-concurrent-index-creation
create unique index uq_blacklist_lower_wallet on escrow.blacklist (lower(wallet));
-- squawk-ignore require-concurrent-index-deletion
drop index escrow.idx_users_lower_wallet;

alter table escrow.orders add column product_hash varchar(66);
comment on column escrow.orders.product_hash is 'The product''s when it was ordered: what a dispute is judged by; null: ordered before this was noted.';
alter table escrow.orders
add constraint chk_arbitrator_not_party check (arbitrator_wallet not in (buyer_wallet, seller_wallet)) not valid;

alter type escrow.order_view add attribute chain_status escrow.order_status,
add attribute title_preview text, add attribute product_hash text;
comment on column escrow.order_view.chain_status is 'What the contract''s last event says; null: none has come, and nobody knows whether the buyer has paid.';
comment on column escrow.order_view.title_preview is 'The product''s; empty: deleted long ago.';
comment on column escrow.order_view.product_hash is 'SHA-256 of what was sold, 0x and 64 hex digits, as it was listed at the order; null: ordered before this was noted.';

create table escrow.site (
    is_only boolean not null default true,
    domain text not null,
    uri text not null,
    chain_id bigint not null,
    constraint pk_site primary key (is_only),
    constraint ck_site_is_only check (is_only),
    constraint ck_site_domain check (domain ~ '^[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?$'),
    constraint ck_site_uri check (uri ~ '^https?://[!-~]+$' and length(uri) <= 500),
    constraint ck_site_chain_id check (chain_id > 0)
);

comment on table escrow.site is 'For which site wallets sign in: its one row is in the text that they sign, and a wallet warns of any other (EIP-4361).';
comment on column escrow.site.is_only is 'True: there is one row.';
comment on column escrow.site.domain is 'Host, and port where it is not the usual one, of the app''s pages.';
comment on column escrow.site.uri is 'Of the app.';
comment on column escrow.site.chain_id is 'Chain that a signing wallet is on (EIP-155); nothing depends on it.';

insert into escrow.site (domain, uri, chain_id) values ('localhost', 'http://localhost', 56);

comment on column escrow.orders.amount is 'What the contract was paid; until it tells, the product''s price when it was ordered.';

-- Its function's file makes it where it is missing; one that is there becomes one for changes of every column.
do $$
begin
    if exists (
        select from pg_trigger as t where t.tgrelid = 'escrow.orders'::regclass and t.tgname = 'settle_order'
    ) then
        drop trigger settle_order on escrow.orders;
        create trigger settle_order after insert or update on escrow.orders
        for each row execute function escrow.settle_order();
    end if;
end
$$;

-- Of orders that there never were, which counted; escrow.check_profiles() tells of whom.
delete from escrow.reviews as r
using escrow.orders as o
where o.id = r.order_id and o.onchain_order_id < 0;

-- What a blacklisted wallet sells is paused from now on; listings count on it.
update escrow.products as p set status = 'paused'::escrow.product_status
where
    p.status in ('active', 'sold_out')
    and p.seller_wallet in (
        select u.wallet from escrow.user_profiles as u
        where u.is_blacklisted
    );
