begin;
select plan(5);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
select is(
    auth.device_id(:bob, 'phone'), 'e7fd9419-b82a-dc84-bf73-a90955b29314'::uuid,
    'a device that logs in again, after years or at another server, finds its key store'
);
select isnt(auth.device_id(:bob, 'tablet'), auth.device_id(:bob, 'phone'), 'each device has one of its own');
select isnt(auth.device_id(:alice, 'phone'), auth.device_id(:bob, 'phone'), 'nobody gets another''s by the same name');
select isnt(auth.device_id(:bob, 'Phone'), auth.device_id(:bob, 'phone'), 'names are compared letter by letter');
select is(auth.device_id(:bob, null), null, 'a device without a name has none');

select * from finish();
rollback;
