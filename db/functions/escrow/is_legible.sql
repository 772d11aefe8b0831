create or replace function escrow.is_legible(
    p_text text
)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return
        -- Control and format characters, which turn, join or hide what is beside them.
        p_text !~ '[\u0001-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]'
        -- Something but spaces, fillers and marks that have no shape of their own.
        and p_text ~ '[^ \u00a0\u034f\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200a\u202f\u205f\u2800\u3000\u3164\ufe00-\ufe0f\uffa0]';
end
$$;

comment on function escrow.is_legible(text) is
'Whether a name or a title looks like what it is: something can be seen, and no character changes or hides the others.
p_text: the text.
Returns null for null.
Errors: none.';

revoke all on function escrow.is_legible(text) from public;
