drop table gateway.metric;
drop table gateway.route;
