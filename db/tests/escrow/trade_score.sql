begin;
select plan(23);

select
    is(
        escrow.trade_score(score.status::escrow.order_status, who.is_seller, score.is_canceller),
        case when who.is_seller then score.as_seller else score.as_buyer end,
        format('%s counts so for the %s', score.description, case when who.is_seller then 'seller' else 'buyer' end)
    )
from (
    values
    ('created', false, 0, 0, 'an order that has just begun'),
    ('seller_confirmed', false, 0, 0, 'one that was confirmed'),
    ('completed', false, 1, 1, 'a trade'),
    ('completed', true, 1, 1, 'a trade, even of who wanted to cancel'),
    ('disputed', false, 0, 0, 'an open dispute'),
    ('resolved_buyer', false, 2, -2, 'a dispute that the buyer won'),
    ('resolved_seller', false, -2, 2, 'a dispute that the seller won'),
    ('expired', false, 0, 0, 'an order that nobody cared for'),
    ('cancelled', false, 0, 0, 'an order that the other cancelled'),
    ('cancelled', null, 0, 0, 'an order that nobody knows who cancelled'),
    ('cancelled', true, -0.5, -2, 'an order that one cancelled oneself')
) as score (status, is_canceller, as_buyer, as_seller, description)
cross join (values (true), (false)) as who (is_seller);
select is_empty(
    $$select status from unnest(enum_range(null::escrow.order_status)) as status
    where escrow.trade_score(status, true, true) is null or escrow.trade_score(status, false, null) is null$$,
    'every status counts something'
);

select * from finish();
rollback;
