begin;
select plan(8);

select lives_ok(format('select escrow.check_tx_hash(%L)', '0x' || repeat('0a', 32)), 'a hash is one');
select lives_ok(format('select escrow.check_tx_hash(%L)', '0x' || repeat('fF', 32)), 'in either case');
select
    throws_ok(
        format('select escrow.check_tx_hash(%L)', bad.hash), '22023', 'tx_hash must be 0x and 64 hex digits',
        bad.description
    )
from (
    values
    (null, 'none is no hash'),
    ('', 'nor is nothing'),
    ('0x' || repeat('a', 63), 'one digit less is no hash'),
    ('0x' || repeat('a', 65), 'nor is one more'),
    (repeat('a', 66), 'nor digits alone'),
    ('0x' || repeat('a', 63) || E'\n', 'nor a line break')
) as bad (hash, description);

select * from finish();
rollback;
