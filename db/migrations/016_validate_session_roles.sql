alter table auth.sessions validate constraint ck_sessions_role;
