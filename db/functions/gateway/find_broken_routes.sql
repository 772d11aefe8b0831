create or replace function gateway.find_broken_routes(
    out route text,
    out fault text
)
returns setof record
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select r.method || ' ' || r.path, f.fault
    from gateway.route as r
    left join pg_proc as p on p.oid = to_regproc(r.function_name)
    cross join lateral (
        values
        (
            p.oid is null,
            format('there is no one function %s', r.function_name)
        ),
        (
            to_regproc(r.batch_function) is null and r.batch_function is not null,
            format('there is no one function %s', r.batch_function)
        ),
        (
            p.oid is not null and r.caller_argument is not null
            and (r.caller_argument = any(p.proargnames[1:p.pronargs])) is not true,
            format('%s has no argument %s', r.function_name, r.caller_argument)
        ),
        (
            p.oid is not null and exists (
                select from regexp_matches(r.path, '\{([a-z_]+)\}', 'g') as m (parts)
                where ('p_' || m.parts[1] = any(p.proargnames[1:p.pronargs])) is not true
            ),
            format('a part of the path is no argument of %s', r.function_name)
        ),
        (
            exists (
                select from regexp_matches(r.path, '\{([a-z_]+)\}', 'g') as m (parts)
                group by m.parts having count(*) > 1
            ),
            'a part of the path is there twice'
        ),
        (
            p.oid is not null and exists (
                select from jsonb_each_text(r.headers) as h (header, argument)
                left join unnest(p.proargnames[1:p.pronargs]) with ordinality as a (name, place) on a.name = h.argument
                where (a.place > p.pronargs - p.pronargdefaults) is not true
            ),
            format('a header is no argument of %s with a default', r.function_name)
        ),
        (
            exists (
                select from jsonb_each_text(r.headers) as h (header, argument)
                where h.argument = r.caller_argument or strpos(r.path, '{' || substr(h.argument, 3) || '}') > 0
            )
            or (
                select count(*) > least(count(distinct h.argument), count(distinct lower(h.header)))
                from jsonb_each_text(r.headers) as h (header, argument)
            ),
            'an argument comes from a header and from elsewhere'
        ),
        (
            p.pronargs > 0 and (p.proargnames is null or '' = any(p.proargnames[1:p.pronargs])),
            format('an argument of %s has no name', r.function_name)
        ),
        (
            -- Element n of each array is call n; a default must be one that the gateway can repeat.
            exists (
                select from pg_proc as twin
                where
                    twin.oid = to_regproc(r.batch_function)
                    and (
                        array(select t.typarray from unnest(p.proargtypes) as a (type) inner join pg_type as t on t.oid = a.type)
                        <> array(select unnest(twin.proargtypes))
                        or exists (
                            select from generate_series(1, p.pronargs) as place (n)
                            where pg_get_function_arg_default(p.oid, place.n) !~ '^(-?[0-9]+|true|false|NULL::.*)$'
                        )
                    )
            ),
            format('%s does not take arrays of the arguments of %s', r.batch_function, r.function_name)
        ),
        (
            p.oid is not null and r.channel is not null and not (
                p.pronargs = 1 and p.proargtypes[0] = 'uuid'::regtype and p.provolatile <> 'v' and p.proretset
                and exists (
                    select from pg_type as t
                    inner join pg_attribute as att on att.attrelid = t.typrelid and att.attnum = 1
                    where t.oid = p.prorettype and att.attname = 'event' and att.atttypid = 'text'::regtype
                )
            ),
            format('%s is no stable function of one uuid with rows that begin with their event', r.function_name)
        ),
        (
            r.may_use_replica and p.provolatile = 'v',
            format('%s is volatile and can''t run on a replica', r.function_name)
        ),
        (
            r.cache_seconds is not null and (p.provolatile = 'v' or r.batch_function is not null),
            format('%s is volatile or has a twin, and its answers can''t be kept', r.function_name)
        ),
        (
            p.oid is not null and not exists (
                select from unnest(array['anon', 'device', 'user', 'wallet', 'worker', 'admin']) as http (role)
                where has_function_privilege('aqm_' || http.role, p.oid, 'execute')
            ),
            format('no HTTP role may execute %s', r.function_name)
        ),
        (
            exists (
                select from unnest(array['anon', 'device', 'user', 'wallet', 'worker', 'admin']) as http (role)
                where
                    has_function_privilege('aqm_' || http.role, p.oid, 'execute')
                    and not has_function_privilege('aqm_' || http.role, to_regproc(r.batch_function), 'execute')
            ),
            format('a role that may execute %s may not execute %s', r.function_name, r.batch_function)
        )
    ) as f (is_broken, fault)
    where f.is_broken
    order by 1;
end
$$;

comment on function gateway.find_broken_routes() is
'Lists the endpoints that don''t fit the functions behind them; migrate.py refuses to go on while there is one.
Errors: none.';

revoke all on function gateway.find_broken_routes() from public;
