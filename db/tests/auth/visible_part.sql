begin;
select plan(11);

select is(auth.visible_part(seen.characters), seen.rest, seen.description)
from (
    values
    ('bob@example.com', 'bob@example.com', 'letters are seen'),
    (U&'\0939\093F\0928\094D\0926\0940 \0437\6F22', U&'\0939\093F\0928\094D\0926\0940\0437\6F22', 'all people''s'),
    (U&'e\0301', U&'e\0301', 'an accent is seen'),
    (U&'\+01F600', U&'\+01F600', 'so are the newest'),
    (E'a \t\n\r\x7f\x01b', 'ab', 'blanks and controls are not'),
    (U&'a\00A0\2003\3000b', 'ab', 'nor other blanks'),
    (U&'a\200B\200C\200D\2060\FEFFb', 'ab', 'nor those without a width'),
    (U&'a\202E\2066\061Cb', 'ab', 'nor what turns the direction'),
    (U&'a\00AD\FE0F\3164\+0E0041b', 'ab', 'nor what is not shown'),
    ('', '', 'of nothing nothing is seen'),
    (null, null, 'none stays none')
) as seen (characters, rest, description);

select * from finish();
rollback;
