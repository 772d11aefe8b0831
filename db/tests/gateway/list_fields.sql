begin;
select plan(14);

delete from gateway.route;
select is_empty(
    'select * from gateway.list_fields()',
    'without endpoints there is nothing to list'
);

create type coins.stamp as (code text, image bytea);
comment on column coins.stamp.image is 'The picture.';
create type coins.parcel as (weight numeric, stamps coins.stamp []);
create type coins.seal as (colour text);
create type coins.receipt as (sent_at timestamptz, seal coins.seal);
create type coins.stranger as (name text);

create domain coins.one as integer default 1;
create domain coins.another as coins.one;
create domain coins.below as smallint default -2;
create domain coins.maybe as boolean default false;
create domain coins.word as text default 'odd';
create domain coins.bare as bigint;
create domain coins.many as integer[] default '{}';
create type coins.basket as (
    one coins.one, another coins.another, below coins.below, maybe coins.maybe, word coins.word, bare coins.bare,
    many coins.many, ones coins.one []
);
create type coins.page as (page_number integer, baskets coins.basket []);
create type coins.shelf as (name text, pages coins.page []);
create function coins.place(p_baskets coins.basket[], p_one coins.one default 5)
returns setof coins.shelf
language plpgsql
as 'begin end';

create function coins.send(
    p_user_id uuid,
    p_parcels coins.parcel[],
    p_note text default 'a ''gift''',
    p_days integer default 7,
    out sent bigint,
    out names text[]
)
returns record
language plpgsql
as 'begin end';
create function coins.list_receipts(p_user_id uuid)
returns setof coins.receipt
language plpgsql
stable
as 'begin end';
create function coins.knock()
returns void
language plpgsql
as 'begin end';
create function coins.be_strange(p_stranger coins.stranger)
returns void
language plpgsql
as 'begin end';

select gateway.expose('POST /v1/parcels', 'coins.send');
select gateway.expose('PUT /v1/parcels', 'coins.send');
select gateway.expose('GET /v1/receipts', 'coins.list_receipts');
select gateway.expose('POST /v1/knock', 'coins.knock');

select set_eq(
    $$select place, field, type_name, is_array, is_composite, is_required, default_value from gateway.list_fields()
    where shape = 'coins.send' and direction = 'in'$$,
    $$values
    (1, 'p_user_id', 'uuid', false, false, true, null),
    (2, 'p_parcels', 'coins.parcel', true, true, true, null),
    (3, 'p_note', 'text', false, false, false, '''a ''''gift''''''::text'),
    (4, 'p_days', 'integer', false, false, false, '7')$$,
    'the gateway learns the arguments of an endpoint, which it needs, and what the others are when left out'
);
select set_eq(
    $$select place, field, type_name, is_array, is_composite from gateway.list_fields()
    where shape = 'coins.send' and direction = 'out'$$,
    $$values (5, 'sent', 'bigint', false, false), (6, 'names', 'text', true, false)$$,
    'the gateway learns the columns of an answer'
);
select results_eq(
    $$select direction, field, type_name, is_composite from gateway.list_fields() where shape = 'coins.list_receipts'$$,
    $$values ('in', 'p_user_id', 'uuid', false), ('rows', 'coins.receipt', 'coins.receipt', true)$$,
    'the gateway learns that an answer has the fields of a composite type'
);
select set_eq(
    $$select shape, place, field, type_name, is_array, is_composite, comment from gateway.list_fields()
    where direction = 'field'$$,
    $$values
    ('coins.parcel', 1, 'weight', 'numeric', false, false, null),
    ('coins.parcel', 2, 'stamps', 'coins.stamp', true, true, null),
    ('coins.receipt', 1, 'sent_at', 'timestamp with time zone', false, false, null),
    ('coins.receipt', 2, 'seal', 'coins.seal', false, true, null),
    ('coins.seal', 1, 'colour', 'text', false, false, null),
    ('coins.stamp', 1, 'code', 'text', false, false, null),
    ('coins.stamp', 2, 'image', 'bytea', false, false, 'The picture.')$$,
    'the gateway learns the types in arguments and answers, those inside of them too, and no others'
);

select gateway.expose('POST /v1/baskets', 'coins.place');
select results_eq(
    $$select field, type_name, is_array, is_composite, is_required, default_value from gateway.list_fields()
    where shape = 'coins.basket'$$,
    $$values
    ('one', 'integer', false, false, false, '1'),
    ('another', 'integer', false, false, false, '1'),
    ('below', 'smallint', false, false, false, '-2'),
    ('maybe', 'boolean', false, false, false, 'false'),
    ('word', 'text', false, false, true, null),
    ('bare', 'bigint', false, false, true, null),
    ('many', 'integer', true, false, true, null),
    ('ones', 'integer', true, false, true, null)$$,
    'a field of a domain has the type it is made of, and may be left out when its default is an integer or boolean'
);
select results_eq(
    $$select field, type_name, is_array, is_required, default_value from gateway.list_fields()
    where shape = 'coins.place' and direction = 'in'$$,
    $$values ('p_baskets', 'coins.basket', true, true, null), ('p_one', 'integer', false, false, '5')$$,
    'an argument of a domain has the function''s default'
);
select set_eq(
    $$select distinct shape from gateway.list_fields()
    where direction = 'field' and shape in ('coins.shelf', 'coins.page')$$,
    $$values ('coins.shelf'), ('coins.page')$$,
    'types in arrays in answers are listed too'
);
select is_empty(
    $$select field from gateway.list_fields() where shape = 'coins.knock'$$,
    'a function without arguments and answer has no fields'
);
select results_eq(
    'select shape, direction, place from gateway.list_fields()',
    'select shape, direction, place from gateway.list_fields() order by 1, 2, 3',
    'the fields come in their order'
);

set local role aqm_gateway;
select isnt_empty('select * from gateway.list_fields()', 'the gateway may ask without a right on the tables');
set local role aqm_monitor;
select isnt_empty('select * from gateway.list_fields()', 'monitoring may ask');
set local role aqm_coins_owner;
select throws_ok(
    'select * from gateway.list_fields()',
    '42501', 'permission denied for function list_fields',
    'nobody else needs to'
);
reset role;

drop function coins.knock();
select throws_ok(
    'select * from gateway.list_fields()',
    '42883', 'function "coins.knock" does not exist',
    'an endpoint whose function is gone is named'
);

select * from finish();
rollback;
