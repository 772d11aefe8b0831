begin;
select plan(3);

select is_empty('select * from gateway.list_revocations()', 'in a new database no token is refused');
insert into gateway.revocation (session_id, issued_until, expires_at)
values
('00000000-0000-4000-8000-000000000001', now(), now() + interval '15 minutes'),
('00000000-0000-4000-8000-000000000002', now() - interval '1 hour', now());
set local role aqm_gateway;
select results_eq(
    'select session_id, issued_until, expires_at from gateway.list_revocations()',
    $$values ('00000000-0000-4000-8000-000000000001'::uuid, now(), now() + interval '15 minutes')$$,
    'a gateway that starts is told which tokens to refuse, and not of those that have expired'
);
set local role aqm_device;
select throws_ok(
    'select * from gateway.list_revocations()', '42501', null,
    'who was logged out is nobody else''s business'
);

select * from finish();
rollback;
