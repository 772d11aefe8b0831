alter table auth.sessions drop constraint ck_sessions_role;
alter table auth.sessions add constraint ck_sessions_role
check (role in ('device', 'user', 'worker', 'admin')) not valid;
