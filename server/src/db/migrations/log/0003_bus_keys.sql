-- compatible since: 0002
-- A ring of keys for the bus, so that its key can be changed while processes run: bus_key seals, and all three open.
alter table log.installation
  add column bus_key_next bytea,
  add column bus_key_before bytea;
