drop table gateway.revocation;
drop domain gateway.token_claims;
alter table gateway.route drop column at_once;
alter table gateway.route drop column needs_keys;
