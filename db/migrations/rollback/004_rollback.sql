alter table gateway.route drop column channel;
alter table gateway.route drop column headers;
