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
    out comment text
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
        format_type(coalesce(element.oid, t.oid), null),
        t.typcategory = 'A',
        coalesce(element.typtype, t.typtype) = 'c',
        fd.is_required,
        fd.default_value,
        fd.comment
    from field as fd
    inner join pg_type as t on t.oid = fd.type_oid
    left join pg_type as element on element.oid = t.typelem and t.typcategory = 'A'
    order by fd.shape, fd.direction, fd.place;
end
$$;

comment on function gateway.list_fields() is
'Lists the arguments and results of the endpoints and the fields of the composite types in them, for the gateway.
Returns a row a field. shape: a function or a composite type. direction: in (argument), out (column of the result), rows (the result has the fields of type_name), field (of a composite type). type_name: of the element where is_array.
Errors: 42883 when a route''s function is gone.';

revoke all on function gateway.list_fields() from public;
grant execute on function gateway.list_fields() to aqm_gateway, aqm_monitor;
