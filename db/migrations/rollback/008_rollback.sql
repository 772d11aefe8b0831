drop table coins.quota_use;
drop table coins.claim_quota;
