-- compatible since: 0000
-- What events do not tell, since the provider's list has 30 days of them alone; and what it answered to a report of usage.

-- When the customer, their subscriptions and their invoices were last looked through.
alter table billing.stream add column looked_through_at timestamptz;

-- How often the provider answered that it could not take it: it would give the same answer again to the same key.
alter table billing.usage add column refusals integer not null default 0;
