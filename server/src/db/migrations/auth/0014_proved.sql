-- compatible since: 0002
-- When the person of a browser's session has last shown who they are: at the sign-in here, or, where a provider let them in, when it says that it
-- asked them. Null where it did not say. What asks for a proof of a few minutes ago goes by it. See server/src/console/bff/by-pages.ts.

alter table auth.browser_sessions add column proved_at timestamptz;
