set local role aqm_gateway_owner;

create table gateway.route (
    method text not null check (method in ('GET', 'POST', 'PUT', 'DELETE')),
    path text not null check (path ~ '^(/([a-zA-Z0-9._-]+|\{[a-z_]+\}))+$'),
    function_name text not null,
    rows_as text,
    caller_argument text,
    batch_function text,
    may_use_replica boolean not null default false,
    constraint pk_route primary key (method, path)
);

comment on table gateway.route is 'Which function answers which HTTP request; written by gateway.expose() at each migrate.';
comment on column gateway.route.rows_as is 'JSON name of the list of rows; null: the one row is the answer.';
comment on column gateway.route.caller_argument is 'The argument that must be the caller; null: anyone who may call.';
comment on column gateway.route.batch_function is 'Answers many calls in one; null: a call, a query.';

create table gateway.metric (
    name text not null check (name ~ '^aqm_[a-z_]+$'),
    function_name text not null,
    constraint pk_metric primary key (name)
);

comment on table gateway.metric is 'Which function gives which Prometheus gauge; written by gateway.expose_metric() at each migrate.';
