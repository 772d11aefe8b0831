drop table gateway.revocation;
drop domain gateway.token_claims;
alter table gateway.route drop column cache_seconds;
alter table gateway.route drop column is_costly;
alter table gateway.route drop column needs_keys;
