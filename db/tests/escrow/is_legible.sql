begin;
select plan(27);

select is(escrow.is_legible(c.text), c.is_legible, c.description)
from (
    values
    ('B', true, 'a letter can be read'),
    ('Zoë O''Brien 😀', true, 'with accents, signs and pictures'),
    (E'\u0645\u0631\u06cc\u0645', true, 'of whatever alphabet'),
    (E'\u2764\ufe0f', true, 'a picture may be in colour'),
    (null, null, 'nothing is neither'),
    ('', false, 'an empty text has nothing to read'),
    (' ', false, 'nor have spaces'),
    (E'\u00a0', false, 'those that keep words together'),
    (E'\u3000', false, 'or are wide'),
    (E'\u2003\u2009', false, 'or narrow'),
    (E'\u3164', false, 'nor a filler'),
    (E'\u2800', false, 'an empty pattern'),
    (E'\ufe0f', false, 'or what only changes another'),
    (E'B\nob', false, 'a line does not break'),
    (E'B\u2028ob', false, 'in no way'),
    (E'B\tob', false, 'there is no tab'),
    (E'B\x01ob', false, 'no control character'),
    (E'B\x7fob', false, 'nor that of deletion'),
    (E'B\u0085ob', false, 'nor one beyond ASCII'),
    (E'B\u202eob', false, 'nothing turns the text around'),
    (E'B\u202aob', false, 'or embeds it'),
    (E'B\u2066ob', false, 'or isolates it'),
    (E'B\u061cob', false, 'or marks it'),
    (E'B\u200bob', false, 'nothing takes no place'),
    (E'B\u200dob', false, 'or joins'),
    (E'B\u00adob', false, 'a hyphen is seen'),
    (E'B\U000e0041ob', false, 'a letter that nobody sees is none')
) as c (text, is_legible, description);

select * from finish();
rollback;
