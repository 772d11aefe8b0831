begin;
select plan(7);

select is(auth.normal_password(typed.password), typed.normal, typed.description)
from (
    values
    ('correct horse', 'correct horse', 'a password stays as it is'),
    ('Correct HORSE', 'Correct HORSE', 'capitals count'),
    (U&'caf\0065\0301', U&'caf\00E9', 'an accent of its own belongs to its letter'),
    (U&'caf\00E9', U&'caf\00E9', 'and needs nothing more'),
    (U&'a\00A0b\3000c', 'a b c', 'a blank is a blank'),
    (U&'\FF21', U&'\FF21', 'what only looks alike is not the same'),
    (null, null, 'none stays none')
) as typed (password, normal, description);

select * from finish();
rollback;
