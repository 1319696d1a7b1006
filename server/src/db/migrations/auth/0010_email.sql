-- compatible since: 0000
-- E-mail addresses of people, and what was sent to find out whether an address is theirs. See server/src/auth/email.

create table auth.third_party_ids (
  medium text not null check (medium = 'email'),
  -- Folded: see email/address.ts.
  address text not null,
  user_id text not null references auth.accounts,
  validated_at timestamptz not null,
  added_at timestamptz not null default now(),
  primary key (medium, address)
);
create index third_party_ids_user on auth.third_party_ids (user_id);

create table auth.email_validations (
  -- The `sid` of the specification.
  validation_id text primary key,
  -- What it is for: register, password or add. A link for one thing proves nothing for another.
  purpose text not null,
  address text not null,
  -- SHA-256: the database knows neither the client's secret nor the link.
  secret_hash bytea not null,
  token_hash bytea not null unique,
  send_attempt integer not null,
  -- Where the page leads to afterwards, if its reader wants that.
  next_link text,
  validated_at timestamptz,
  expires_at timestamptz not null,
  unique (purpose, address, secret_hash)
);
create index email_validations_expiry on auth.email_validations (expires_at);
