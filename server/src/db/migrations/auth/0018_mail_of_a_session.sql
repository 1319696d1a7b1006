-- compatible since: 0002
-- The mail that the page of the stage m.login.email.identity has sent for a session of user-interactive authentication: its proof is the session's.
-- Null where there is none, or where the client asked for the mail itself. See server/src/auth/email/stage.ts.

alter table auth.interactive_sessions add column validation_id text;
