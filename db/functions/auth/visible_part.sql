create or replace function auth.visible_part(
    p_text text
)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Code points, not classes: what [:space:] and [:cntrl:] are beyond ASCII is the locale's to say. Unicode's controls,
    -- formats, blanks and default ignorables.
    return regexp_replace(
        p_text,
        U&'[\0001-\0020\007F-\00A0\00AD\034F\0600-\0605\061C\06DD\070F\0890\0891\08E2\115F\1160\1680\17B4\17B5'
        || U&'\180B-\180F\2000-\200F\2028-\202F\205F-\206F\2800\3000\3164\FE00-\FE0F\FEFF\FFA0\FFF0-\FFFB'
        || U&'\+0110BD\+0110CD\+013430-\+01343F\+01BCA0-\+01BCA3\+01D173-\+01D17A\+0E0000-\+0E0FFF]',
        '', 'g'
    );
end
$$;

comment on function auth.visible_part(text) is
'Takes out of a text what nobody sees: blanks, control characters, and what Unicode has that leaves no ink.
p_text: any; null stays null.
Returns the rest.
Errors: none.';

revoke all on function auth.visible_part(text) from public;
