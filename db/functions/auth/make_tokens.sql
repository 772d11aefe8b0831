create or replace function auth.make_tokens(
    p_session auth.sessions,
    p_token bytea
)
returns setof auth.tokens
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return next (
        jsonb_build_object(
            'sub', p_session.subject,
            'role', p_session.role,
            'sid', p_session.id,
            'iat', extract(epoch from coalesce(p_session.rotated_at, p_session.created_at)),
            'exp', ceil(extract(epoch from p_session.access_token_exp)),
            'roles', (
                select coalesce(jsonb_object_agg(r.product_domain, r.roles), '{}')
                from (
                    select ur.product_domain, jsonb_agg(ur.role order by ur.role) as roles
                    from auth.user_roles as ur
                    where ur.user_id = p_session.user_id and ur.is_active
                    group by ur.product_domain
                ) as r
            )
        ),
        translate(encode(p_token, 'base64'), E'+/=\n', '-_'),
        'Bearer',
        greatest(0, extract(epoch from p_session.access_token_exp - now()))::integer,
        p_session.id,
        p_session.subject
    )::auth.tokens;
end
$$;

comment on function auth.make_tokens(auth.sessions, bytea) is
'Puts together what a login or a refresh answers; the gateway signs the access token.
p_session: the session. p_token: its newest refresh token.
Returns one row.
Errors: none.';

revoke all on function auth.make_tokens(auth.sessions, bytea) from public;
