-- compatible since: 0002
-- Which policies people have accepted when they made their account, each in the version that was shown to them. See server/src/auth/terms.

create table auth.accepted_policies (
  user_id text not null references auth.accounts,
  policy_id text not null,
  version text not null,
  accepted_at timestamptz not null default now(),
  primary key (user_id, policy_id, version)
);

-- The versions that the last challenge named, by policy; null where it named none.
alter table auth.interactive_sessions add column presented jsonb;
