begin;
select plan(4);

select is(
    auth.shorten_password('correct horse'), 'QQTTb42iwlQ0n4WDZ5Pr4CngyVcGOjTJHC6SAxh7VjE=',
    'a password is checked the same in every version'
);
select isnt(
    auth.shorten_password(repeat('p', 100) || 'a'), auth.shorten_password(repeat('p', 100) || 'b'),
    'the end of a long password counts'
);
select is(octet_length(auth.shorten_password(repeat('é', 1000))), 44, 'bcrypt reads all that is left of it');
select is(auth.shorten_password(null), null, 'no password stays none');

select * from finish();
rollback;
