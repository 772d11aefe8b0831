begin;
select plan(7);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set eve '''e5e00000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:bob), (:eve);
insert into auth.user_roles (user_id, product_domain, role, is_active)
values (:bob, 'aqm', 'admin', true), (:bob, 'escrow', 'arbiter', false);
select is(auth.has_role(asked.id::uuid, asked.product, asked.role), asked.answer, asked.description)
from (
    values
    (:bob, 'aqm', 'admin', true, 'who was given a role has it'),
    (:eve, 'aqm', 'admin', false, 'nobody else has'),
    (:bob, 'escrow', 'admin', false, 'nor have they in another product'),
    (:bob, 'aqm', 'operator', false, 'nor another role'),
    (:bob, 'escrow', 'arbiter', false, 'nor one that was taken back'),
    (null, 'aqm', 'admin', false, 'nobody has none'),
    (:bob, null, null, false, 'and no role is none')
) as asked (id, product, role, answer, description);

select * from finish();
rollback;
