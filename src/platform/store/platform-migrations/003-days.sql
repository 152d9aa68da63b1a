-- What operational reports and dashboards are made of: more of each transfer, and counts by day.
alter table platform.transfers
  -- The request, as the national definitions have it: what months and reports go by.
  add measured_at timestamptz,
  -- As the Spine's log says; null where it does not have the transfer.
  add large boolean,
  add redactions boolean,
  -- Which types of events came: a bit for each, in the order of `platform.event_type`.
  add told smallint not null default 0,
  -- How often each: failure point and code; who left a document out, of which kind and why; kind of a document and whether it came.
  add faults jsonb,
  add left_out jsonb,
  add attachments jsonb;
create index transfers_by_measure on platform.transfers (measured_at) include (requesting, category) where status is not null;
create index transfers_failed on platform.transfers (measured_at) where category in ('technical', 'unclassified');
create index transfers_by_start on platform.transfers (started_at);
create index transfers_open_by_start on platform.transfers (started_at) where result in ('In progress', 'Awaiting integration');

-- Counts of each day (UTC) by the keys that a measure has.
create table platform.days (
  day date not null,
  measure text not null,
  key text[] not null,
  count integer not null,
  primary key (measure, day, key)
);
-- Days of which a transfer has changed since they were counted.
create table platform.stale_days (day date primary key);

-- Whoever may read the operational reports: they name conversations and practices. Keys as those of submitters.
create table platform.readers (
  id integer generated always as identity primary key,
  name text not null unique,
  key_hash bytea not null unique,
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);

-- Registrations that were told, by how far they came; sends, by what became of them.
alter table platform.months
  add traced integer not null default 0,
  add told_compatible integer not null default 0,
  add told_internal integer not null default 0,
  add told_incompatible integer not null default 0,
  add told_requested integer not null default 0,
  add told_received integer not null default 0,
  add told_integrated integer not null default 0,
  add told_rejected integer not null default 0,
  add told_failed integer not null default 0,
  add sent_in_time integer not null default 0,
  add large integer not null default 0,
  add redactions integer not null default 0;

-- Everything is folded again, so that what was there before has these too.
update platform.progress set batch = 0 where name = 'fold';
