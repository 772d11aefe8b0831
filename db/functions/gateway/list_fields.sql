create or replace function gateway.list_fields(
    out shape text,
    out direction text,
    out place integer,
    out field text,
    out type_name text,
    out is_array boolean,
    out is_composite boolean,
    out is_required boolean,
    out default_value text,
    out comment text,
    out domain_name text,
    out labels text[]
)
returns setof record
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with recursive exposed as (
        select r.function_name, f.*
        from gateway.route as r
        inner join pg_proc as f on f.oid = r.function_name::regproc
    ),

    -- A domain travels as what it is made of.
    base as (
        select t.oid, t.oid as base
        from pg_type as t
        where t.typtype <> 'd'
        union all
        select d.oid, b.base
        from base as b
        inner join pg_type as d on d.typbasetype = b.oid and d.typtype = 'd'
    ),

    argument as (
        select
            e.function_name as shape,
            case when coalesce(a.mode, 'i') in ('o', 't') then 'out' else 'in' end as direction,
            a.place::integer as place,
            a.field,
            a.type_oid,
            coalesce(a.mode, 'i') = 'i' and a.place <= e.pronargs - e.pronargdefaults as is_required,
            pg_get_function_arg_default(e.oid, a.place::integer) as default_value
        from exposed as e
        cross join lateral unnest(
            coalesce(e.proallargtypes, e.proargtypes::oid[]), e.proargnames, e.proargmodes::text[]
        ) with ordinality as a (type_oid, field, mode, place)
    ),

    -- The composite types that arguments and results are made of, and those inside of them.
    composite as (
        select t.oid, t.typrelid
        from pg_type as t
        where
            t.typtype = 'c'
            and t.oid in (
                select coalesce(nullif(ta.typelem, 0), a.type_oid)
                from argument as a inner join pg_type as ta on ta.oid = a.type_oid
                union all
                select e.prorettype from exposed as e
            )
        union
        select t.oid, t.typrelid
        from composite as c
        inner join pg_attribute as att on att.attrelid = c.typrelid and att.attnum > 0 and not att.attisdropped
        inner join pg_type as ta on ta.oid = att.atttypid
        inner join pg_type as t on t.oid = coalesce(nullif(ta.typelem, 0), ta.oid) and t.typtype = 'c'
    ),

    field as (
        select a.*, null::text as comment from argument as a
        union all
        -- A function that returns rows of a composite type answers with that type's fields.
        select e.function_name, 'rows', 0, e.prorettype::regtype::text, e.prorettype, true, null, null
        from exposed as e
        inner join pg_type as t on t.oid = e.prorettype and t.typtype = 'c'
        union all
        select
            c.oid::regtype::text, 'field', att.attnum::integer, att.attname::text, att.atttypid, true, null,
            col_description(c.typrelid, att.attnum)
        from composite as c
        inner join pg_attribute as att on att.attrelid = c.typrelid and att.attnum > 0 and not att.attisdropped
    )

    select
        fd.shape,
        fd.direction,
        fd.place,
        fd.field,
        format_type(element.base, null),
        t.typcategory = 'A',
        exists (select from composite as c where c.oid = element.base),
        fd.is_required and (fd.direction <> 'field' or domain_default.value is null),
        case fd.direction when 'field' then domain_default.value else fd.default_value end,
        fd.comment,
        case own.typtype when 'd' then own.oid::regtype::text end,
        (
            select array_agg(e.enumlabel::text order by e.enumsortorder)
            from pg_enum as e
            where e.enumtypid = element.base
        )
    from field as fd
    inner join pg_type as own on own.oid = fd.type_oid
    inner join base on base.oid = own.oid
    inner join pg_type as t on t.oid = base.base
    inner join base as element on element.oid = case t.typcategory when 'A' then t.typelem else t.oid end
    -- As its constant, without the cast that PostgreSQL keeps with it: (1)::smallint.
    left join lateral (
        select coalesce(
            substring(own.typdefault from '^[(]?''?(-?[0-9]+)''?[)]?(?:::[a-z]+)?$'),
            substring(own.typdefault from '^(true|false)$')
        )
        where own.typtype = 'd'
    ) as domain_default (value) on true
    order by fd.shape, fd.direction, fd.place;
end
$$;

comment on function gateway.list_fields() is
'Lists the arguments and results of the endpoints and the fields of the composite types in them, for the gateway.
Returns a row a field. shape: a function or a composite type. direction: in (argument), out (column of the result), rows (the result has the fields of type_name), field (of a composite type). type_name: of the element where is_array; of what a domain is made of; domain_name: the domain, else null. labels: what a value of an enum may be, else null. A field of a composite type is required unless its type is a domain with an integer or boolean default.
Errors: 42883 when a route''s function is gone.';

revoke all on function gateway.list_fields() from public;
grant execute on function gateway.list_fields() to aqm_gateway, aqm_monitor;
