begin;
select plan(30);

select is(auth.normal_email(mail.typed), mail.normal, mail.description)
from (
    values
    ('bob@example.com', 'bob@example.com', 'an address stays as it is'),
    (' Bob.B+coins@Example.COM  ', 'bob.b+coins@example.com', 'however a person types it, it is the same address'),
    (U&'Ev\00E9@example.com', U&'ev\00E9@example.com', 'an accented letter stays'),
    (U&'EV\00C9@example.com', U&'ev\00E9@example.com', 'a capital with an accent is its small letter'),
    (U&'eve\0301@example.com', U&'ev\00E9@example.com', 'an accent of its own belongs to its letter'),
    (repeat('b', 242) || '@example.com', repeat('b', 242) || '@example.com', '254 bytes are an address'),
    (U&'\FF22\FF4F\FF42\FF20example\FF0Ecom', 'bob@example.com', 'full-width letters are plain ones'),
    (U&'\00A0bob@example.com\3000', 'bob@example.com', 'blanks of any kind around it are none of it'),
    (U&'\212A@example.com', 'k@example.com', 'a sign for a unit is its letter'),
    (
        U&'\0431\043E\0431@example.com', U&'\0431\043E\0431@example.com',
        'a letter of another script is another letter, however alike'
    )
) as mail (typed, normal, description);
select
    throws_ok(
        format('select auth.normal_email(%L)', bad.email), '22023', 'email must be an email address', bad.description
    )
from (
    values
    (null, 'an address is needed'),
    ('', 'an empty one is refused'),
    ('   ', 'so are blanks'),
    ('bob', 'a name is no address'),
    ('bob@example', 'a host without a domain is refused'),
    ('bob@example.', 'and one that ends with a dot'),
    ('@example.com', 'an address has a name'),
    ('bob@@example.com', 'an address has one at sign'),
    ('bob@eve@example.com', 'two names are refused'),
    ('bob b@example.com', 'a blank within is refused'),
    (E'bob@example.com\nbcc: eve@example.com', 'a second line is refused: it would become a header'),
    (E'bob\x01@example.com', 'so is a control character'),
    (repeat('b', 243) || '@example.com', '255 bytes are no address'),
    (U&'b\200Bob@example.com', 'what nobody sees is refused'),
    (U&'bob@exam\00ADple.com', 'even where a word might break'),
    (U&'bob\202E@example.com', 'and what turns the direction'),
    (U&'\FEFFbob@example.com', 'wherever it stands'),
    (U&'bob\00A0b@example.com', 'a blank within, of any kind'),
    (U&'bob@example.com\FF20', 'a second at sign, however wide')
) as bad (email, description);

-- Its marks would have to be put in order, each past all others.
create function pg_temp.seconds()
returns double precision
language plpgsql
as $$
declare
    v_begin constant timestamptz := clock_timestamp();
begin
    perform auth.normal_email(repeat(U&'\0315', 10000) || repeat(U&'\0327', 10000) || '@example.com');
exception
    when invalid_parameter_value then
        return extract(epoch from clock_timestamp() - v_begin);
end
$$;
select cmp_ok(pg_temp.seconds(), '<', 0.5::double precision, 'what is far too long is refused without a look');

select * from finish();
rollback;
