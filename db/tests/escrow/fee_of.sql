begin;
select plan(3);

select is(escrow.fee_of(12.5), 0.25, 'the fee is 2 %');
select is(escrow.fee_of(1.000025), 0.020001, 'half a millionth goes up');
select is(escrow.fee_of(999999999999.999999), 20000000000.000000, 'also of much');

select * from finish();
rollback;
