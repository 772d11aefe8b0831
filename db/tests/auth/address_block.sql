begin;
select plan(5);

select is(auth.address_block(given.address), given.block, given.description)
from (
    values
    (inet '192.0.2.7', inet '192.0.2.7', 'an IPv4 address is a customer''s own'),
    ('2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64', 'of IPv6 a customer has 64 bits to choose from'),
    ('2001:db8:1:2::', '2001:db8:1:2::/64', 'whichever is chosen'),
    ('::1', '::/64', 'this machine''s own included'),
    (null, null, 'nowhere is nowhere')
) as given (address, block, description);

select * from finish();
rollback;
