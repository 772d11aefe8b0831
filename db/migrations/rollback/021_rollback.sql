alter table escrow.orders drop constraint chk_arbitrator_not_party;
alter table escrow.orders
add constraint chk_arbitrator_not_party check (arbitrator_wallet not in (buyer_wallet, seller_wallet)) not valid;
