alter table escrow.orders validate constraint chk_arbitrator_not_party;
