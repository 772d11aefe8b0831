drop table escrow.site;

alter type escrow.order_view drop attribute chain_status, drop attribute title_preview, drop attribute product_hash;

alter table escrow.orders drop constraint chk_arbitrator_not_party, drop column product_hash;
comment on column escrow.orders.amount is 'The product''s price when it was ordered.';

create index idx_users_lower_wallet on escrow.user_profiles (lower(wallet));
drop index escrow.uq_user_profiles_lower_wallet;
drop index escrow.uq_blacklist_lower_wallet;

alter domain gateway.wallet drop constraint ck_wallet_form;
comment on domain gateway.wallet is 'An Ethereum address. Over HTTP its checksum (EIP-55) is checked, and one in lower case gets its own; the database checks the form, where one is stored.';

revoke usage on schema auth from aqm_escrow_owner;
