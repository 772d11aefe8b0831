create or replace function auth.key_usage()
returns setof auth.key_use
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        coalesce(dk.kind, used.kind), coalesce(dk.version, used.version), dk.is_current,
        count(*) filter (where used.what = 'user'), count(*) filter (where used.what = 'aadhaar'),
        count(*) filter (where used.what = 'email')
    from auth.data_keys as dk
    full join (
        select 'encryption' as kind, u.encryption_version as version, 'user' as what from auth.users as u
        union all
        select 'index', u.index_version, 'user' from auth.users as u
        union all
        select 'index', u.aadhaar_version, 'aadhaar' from auth.users as u
        union all
        select 'encryption', ee.encryption_version, 'email' from auth.email_events as ee
    ) as used on used.kind = dk.kind and used.version = dk.version
    where dk.version is not null or used.version is not null
    group by 1, 2, 3
    order by 1, 2;
end
$$;

comment on function auth.key_usage() is
'Counts what was written with each version of a data key, deleted accounts included; reads all rows.
Returns a row for each version that is known or used. What has no row more but its own may be forgotten: auth.forget_data_key().
Errors: none.';

revoke all on function auth.key_usage() from public;
