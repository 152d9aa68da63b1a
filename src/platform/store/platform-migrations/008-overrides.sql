-- Months that were opened although their total lies far from that of the month before: what was found, and why it was opened all the same.
create table platform.publication_overrides (
  id bigint generated always as identity primary key,
  month date not null,
  overridden_at timestamptz not null default now(),
  fault text not null,
  reason text not null
);
