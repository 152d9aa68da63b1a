-- National reporting. A schema of its own, so that it may live on a server that others use, and shares no table with a node.
create schema platform;

-- Whoever may send events. Keys are 256 random bits, so their plain SHA-256 says nothing about them.
create table platform.submitters (
  id integer generated always as identity primary key,
  name text not null unique,
  key_hash bytea not null unique,
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);

create type platform.event_type as enum (
  'REGISTRATIONS', 'TRANSFER_COMPATIBILITY_STATUSES', 'EHR_REQUESTS', 'EHR_RESPONSES', 'DOCUMENT_RESPONSES',
  'READY_TO_INTEGRATE_STATUSES', 'EHR_INTEGRATIONS', 'ERROR');

-- What was told, as it was told. Two events of one kind, conversation and time have the same national id (attachments of one moment do):
-- the digest of the body keeps them apart, and makes an event that is sent twice one row, whoever sends it.
create table platform.events (
  at timestamptz not null,
  event_id uuid not null,
  digest bigint not null,
  submitter integer,
  received_at timestamptz not null default now(),
  -- The transaction that wrote it: what came since the last fold is found by it, without a gap.
  batch bigint not null default pg_current_xact_id()::text::bigint,
  type platform.event_type not null,
  conversation text not null,
  supplier text not null,
  reporting text not null,
  requesting text not null,
  sending text,
  payload jsonb,
  primary key (at, event_id, digest)
) partition by range (at);
create index events_by_conversation on platform.events (conversation);
create index events_by_batch on platform.events (batch);
-- Times that no month was made for: a clock that is wrong must not cost an event.
create table platform.events_other partition of platform.events default;

-- Nothing here may say which transfer, practice or moment a degrade belongs to.
create table platform.degrades (
  event_id uuid not null,
  number integer not null,
  day date not null,
  supplier text not null,
  type text not null,
  reason text not null,
  coding jsonb not null,
  primary key (event_id, number)
);
create index degrades_by_day on platform.degrades (day);

-- Transfers that were classified from the Spine's log: rows of the existing pipeline.
create table platform.spine_transfers (
  conversation text primary key,
  requested_at timestamptz not null,
  core_at timestamptz,
  completed_at timestamptz,
  last_sender_message_at timestamptz,
  sla_seconds bigint,
  requesting text, requesting_asid text, requesting_supplier text,
  sending text, sending_asid text, sending_supplier text,
  sender_codes integer[] not null,
  final_codes integer[] not null,
  intermediate_codes integer[] not null,
  status text not null,
  failure_reason text,
  large boolean not null,
  redactions boolean not null,
  cutoff_days integer not null,
  batch bigint not null default pg_current_xact_id()::text::bigint
);
create index spine_transfers_by_batch on platform.spine_transfers (batch);
create index spine_transfers_by_request on platform.spine_transfers (requested_at);

-- One row a transfer, made anew from all of its events (and its Spine row) whenever one comes.
create table platform.transfers (
  conversation text primary key,
  requesting text,
  sending text,
  requesting_asid text,
  sending_asid text,
  requesting_supplier text,
  sending_supplier text,
  started_at timestamptz not null,
  last_at timestamptz not null,
  registered_at timestamptz,
  traced boolean,
  compatible_at timestamptz,
  compatible boolean,
  internal boolean,
  incompatible_reason text,
  requested_at timestamptz,
  responded_at timestamptz,
  ready_at timestamptz,
  ended_at timestamptz,
  outcome text,
  errors integer not null,
  error_code text,
  error_description text,
  failure_point text,
  structured_bytes bigint,
  placeholders integer not null,
  documents integer not null,
  documents_failed integer not null,
  document_bytes bigint not null,
  -- What is measured: `registration_status` and `result` by the events, the others by the national definitions.
  registration_status text not null,
  result text not null,
  measured_by text,
  month_utc date not null,
  month_london date not null,
  sla_seconds bigint,
  status text,
  failure_reason text,
  category text,
  sender_codes integer[] not null,
  final_codes integer[] not null,
  intermediate_codes integer[] not null
);
create index transfers_by_requesting on platform.transfers (requesting, month_utc);
create index transfers_by_sending on platform.transfers (sending, month_utc);
create index transfers_by_month on platform.transfers (month_utc);
create index transfers_open on platform.transfers (last_at) where result in ('In progress', 'Awaiting integration');

-- Practices, sub ICB locations, integrated care boards, regions; each but a region lies in the one above it.
create table platform.organisations (
  code text primary key,
  kind text not null check (kind in ('practice', 'sicbl', 'icb', 'region')),
  name text,
  parent text,
  active boolean not null default true,
  address text[] not null default '{}',
  postcode text,
  supplier text,
  words text generated always as (lower(code || ' ' || coalesce(name, '') || ' ' || coalesce(postcode, '') || ' ' || replace(coalesce(postcode, ''), ' ', ''))) stored
);
create index organisations_by_parent on platform.organisations (parent);
-- Who an ASID belonged to in a month, for the Spine's log.
create table platform.asids (
  month date not null,
  asid text not null,
  ods text not null,
  name text,
  sicbl_ods text,
  sicbl_name text,
  primary key (month, asid)
);

-- Counts by month: of every practice (in both roles, by both calendars), and of everything above it.
create table platform.months (
  calendar text not null check (calendar in ('UTC', 'Europe/London')),
  role text not null check (role in ('requesting', 'sending')),
  level text not null check (level in ('practice', 'sicbl', 'icb', 'region', 'england')),
  code text not null,
  month date not null,
  within3 integer not null, within8 integer not null, late integer not null,
  not_integrated integer not null, technical integer not null, unclassified integer not null,
  registrations integer not null, eligible integer not null, not_eligible integer not null, internal integer not null,
  requested integer not null, sent integer not null, ready integer not null, integrated integer not null,
  filed_as_attachment integer not null, rejected integer not null, failed integer not null, open integer not null,
  within3_of_request integer not null, within8_of_request integer not null,
  with_placeholders integer not null, documents integer not null, documents_failed integer not null,
  primary key (calendar, role, level, code, month)
);
create index months_by_month on platform.months (month, level, role, calendar);

-- Outcomes by suppliers and reason, of England and of each requesting practice.
create table platform.pathway_months (
  month date not null,
  practice text not null,
  requesting_supplier text not null,
  sending_supplier text not null,
  status text not null,
  failure_reason text not null,
  error_code text not null,
  transfers integer not null,
  primary key (month, practice, requesting_supplier, sending_supplier, status, failure_reason, error_code)
);

-- How far folding has come: everything of transactions before this one is folded.
create table platform.progress (name text primary key, batch bigint not null, changed_at timestamptz);
insert into platform.progress values ('fold', 0);

-- Months whose figures are open to the public.
create table platform.publications (
  month date primary key,
  published_at timestamptz not null default now(),
  transfers integer not null
);
