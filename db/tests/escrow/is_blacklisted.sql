begin;
select plan(7);

insert into escrow.blacklist (wallet, reason)
values ('0x00000000000000000000000000000000000000aB', 'scam'), ('0x00000000000000000000000000000000000000cd', 'scam'),
('0x0000000000000000000000000000000000000FAB', 'scam');

select ok(escrow.is_blacklisted('0x00000000000000000000000000000000000000aB'), 'a wallet in the list is blacklisted');
select ok(
    escrow.is_blacklisted('0x00000000000000000000000000000000000000Cd'),
    'a list in lower case means the addresses that have capitals'
);
select ok(escrow.is_blacklisted('0x0000000000000000000000000000000000000fAb'), 'so does one in capitals');
select ok(escrow.is_blacklisted('0x00000000000000000000000000000000000000Ab'), 'or with capitals that are wrong');
select ok(escrow.is_blacklisted('0x00000000000000000000000000000000000000cd'), 'and those that have none');
select ok(not escrow.is_blacklisted('0x00000000000000000000000000000000000000ef'), 'another wallet is not');
select ok(not escrow.is_blacklisted(null), 'nor is nobody');

select * from finish();
rollback;
