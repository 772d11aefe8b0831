begin;
select plan(2);

-- By hand, from the guide, and not from the table of steps.
create temp table reach (status text, reached text[]);
insert into reach
values
(
    'created',
    '{created,seller_confirmed,completed,disputed,resolved_buyer,resolved_seller,cancelled,expired}'
),
('seller_confirmed', '{seller_confirmed,completed,disputed,resolved_buyer,resolved_seller}'),
('disputed', '{disputed,resolved_buyer,resolved_seller}'),
('completed', '{completed}'),
('resolved_buyer', '{resolved_buyer}'),
('resolved_seller', '{resolved_seller}'),
('cancelled', '{cancelled}'),
('expired', '{expired}');
select is_empty(
    $$select r.status, other.status
    from reach as r
    cross join unnest(enum_range(null::escrow.order_status)) as other (status)
    where escrow.is_reachable(r.status::escrow.order_status, other.status) <> (other.status::text = any(r.reached))$$,
    'from each status those can be reached that the guide draws, and no others'
);
select is((select count(*) from reach), 8::bigint, 'each status was asked about');

select * from finish();
rollback;
