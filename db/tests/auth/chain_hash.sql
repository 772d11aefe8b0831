begin;
select plan(14);

select auth.add_month('audit_logs', '2001-02-01') as made;
create temporary table seen as
with added as (
    insert into auth.audit_logs (created_at, action, actor, user_id, session_id, address, detail)
    values (
        '2001-02-03 04:05:06.789012+00', 'role.granted', 'somebody', 'a11ce000-0000-4000-8000-000000000000',
        'b0b00000-0000-4000-8000-000000000000', '192.0.2.1', '{"role": "admin", "product_domain": "aqm"}'
    )
    returning *
)

select
    added::auth.audit_logs as audit,
    auth.chain_hash('\x01', added::auth.audit_logs, 7) as hash
from added;

select
    is(
        seen.hash,
        sha256('\x01' || convert_to(format(
            '[%s, 981173106.789012, "role.granted", "somebody", "a11ce000-0000-4000-8000-000000000000", '
            '"b0b00000-0000-4000-8000-000000000000", "192.0.2.1/32", {"role": "admin", "product_domain": "aqm"}, 7]',
            (seen.audit).id
        ), 'UTF8')),
        'the hash can be worked out without the database, from the hash before and the columns as JSON'
    )
from seen;

set local timezone = 'Asia/Kolkata';
set local datestyle = 'SQL, DMY';
set local bytea_output = 'escape';
set local extra_float_digits = -15;
select is(auth.chain_hash('\x01', seen.audit, 7), seen.hash, 'it is the same in every session')
from seen;

select isnt(auth.chain_hash('\x02', seen.audit, 7), seen.hash, 'another hash before gives another')
from seen;
select isnt(auth.chain_hash('\x01', seen.audit, 8), seen.hash, 'another place gives another')
from seen;
select isnt(auth.chain_hash(null, seen.audit, 7), seen.hash, 'to be the first is something else')
from seen;
select
    is(
        auth.chain_hash(null, seen.audit, 1), auth.chain_hash('', seen.audit, 1), 'before the first is nothing'
    )
from seen;
select
    isnt(
        auth.chain_hash('\x01', jsonb_populate_record(seen.audit, changed.columns), 7), seen.hash,
        format('the hash covers %s', jsonb_object_keys(changed.columns))
    )
from seen
cross join (
    values
    (jsonb '{"id": 123456}'),
    ('{"created_at": "2001-02-03 04:05:06.789013+00"}'),
    ('{"action": "role.revoked"}'),
    ('{"actor": "somebody else"}'),
    ('{"user_id": null}'),
    ('{"session_id": null}'),
    ('{"address": null}'),
    ('{"detail": {"role": "user", "product_domain": "aqm"}}')
) as changed (columns);

select * from finish();
rollback;
