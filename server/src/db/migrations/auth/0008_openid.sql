-- compatible since: 0002
-- Tokens by which somebody else's service asks who a person is. Specification: client-server-api, "OpenID".
create table auth.openid_tokens (
  token_hash bytea primary key,
  user_id text not null references auth.accounts,
  expires_at timestamptz not null
);
create index openid_tokens_expiry on auth.openid_tokens (expires_at);
