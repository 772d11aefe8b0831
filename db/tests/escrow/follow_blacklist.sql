begin;
select plan(11);

insert into escrow.user_profiles (wallet, public_key)
values
('0x00000000000000000000000000000000000000b1', 'cHVi'), ('0x00000000000000000000000000000000000000b2', 'cHVi'),
('0x00000000000000000000000000000000000000C1', 'cHVi');
-- The last letters of those whose profiles say that they are blacklisted.
create view pg_temp.shut_out as
select coalesce(string_agg(right(u.wallet, 2), ' ' order by lower(u.wallet)), '') as wallets
from escrow.user_profiles as u
where u.is_blacklisted;

insert into escrow.blacklist (wallet, reason) values ('0x00000000000000000000000000000000000000b1', 'scam');
select is((select s.wallets from pg_temp.shut_out as s), 'b1', 'who is written into the blacklist is shut out');
update escrow.blacklist set wallet = '0x00000000000000000000000000000000000000b2';
select is((select s.wallets from pg_temp.shut_out as s), 'b2', 'a changed entry lets one in and shuts one out');
update escrow.blacklist set reason = 'fraud', wallet = '0x00000000000000000000000000000000000000c1';
select is(
    (select s.wallets from pg_temp.shut_out as s), 'C1', 'an entry in lower case means the profile that has capitals'
);
update escrow.blacklist set wallet = '0x00000000000000000000000000000000000000C1';
select is((select s.wallets from pg_temp.shut_out as s), 'C1', 'and goes on doing so when it gets them');
update escrow.blacklist set wallet = '0x00000000000000000000000000000000000000b1';
select is((select s.wallets from pg_temp.shut_out as s), 'b1', 'until it names another');
delete from escrow.blacklist;
select is((select s.wallets from pg_temp.shut_out as s), '', 'who is taken from the blacklist is let in');
insert into escrow.blacklist (wallet, reason)
values
('0x00000000000000000000000000000000000000b1', 'scam'), ('0x00000000000000000000000000000000000000b2', 'scam'),
('0x00000000000000000000000000000000000000c1', 'scam'), ('0x00000000000000000000000000000000000000f1', 'scam');
select is((select s.wallets from pg_temp.shut_out as s), 'b1 b2 C1', 'a list is written at once');
insert into escrow.user_profiles (wallet, public_key) values ('0x00000000000000000000000000000000000000f1', 'cHVi');
select is(
    (select s.wallets from pg_temp.shut_out as s), 'b1 b2 C1 f1', 'who comes later is found in it'
);
update escrow.user_profiles set is_blacklisted = false;
select is(
    (select s.wallets from pg_temp.shut_out as s), 'b1 b2 C1 f1', 'nobody is let in by a change of the profile alone'
);
truncate escrow.blacklist;
select is((select s.wallets from pg_temp.shut_out as s), '', 'a list that is emptied lets all in');
insert into escrow.blacklist (wallet, reason) values ('0x00000000000000000000000000000000000000f2', 'scam');
select is((select s.wallets from pg_temp.shut_out as s), '', 'who has no profile shuts nobody out');

select * from finish();
rollback;
