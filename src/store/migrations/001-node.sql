-- One node's tables, or those of many equal nodes. Every statement names the practice. Bodies are pointers to objects; what grows
-- with a record (parts, history, messages) has rows of its own, so that the row of a transfer keeps its size.

create table settings (
  name text primary key,
  value text not null
);

create table practices (
  ods text primary key,
  asid text not null unique,
  party_key text not null,
  enabled boolean not null default true,
  settings jsonb not null,
  changed_at timestamptz not null default now()
);
create index practices_party_key on practices (party_key);

create table transfers (
  practice text not null,
  id text not null,
  role text not null check (role in ('requesting', 'sending')),
  conversation_id text not null,
  nhs_number text not null,
  other_practice text,
  registration_id text,
  -- What began it: the registration, or who asked.
  origin jsonb not null,
  version integer not null,
  state text not null,
  outcome text,
  -- What the state carries beyond the columns.
  body jsonb not null,
  started_at timestamptz not null,
  changed_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (practice, id),
  unique (id),
  unique (practice, role, conversation_id)
);
create unique index transfers_registration on transfers (practice, registration_id) where registration_id is not null;
create index transfers_recent on transfers (practice, started_at desc, id);
create index transfers_state on transfers (practice, state, started_at desc);
create index transfers_patient on transfers (practice, nhs_number);

-- Duplicates are told by sender and message id; the digest tells a repetition from a re-used id.
create table inbox (
  from_party_key text not null,
  message_id text not null,
  id bigint generated always as identity unique,
  practice text not null,
  conversation_id text not null,
  action text not null,
  digest text not null,
  bytes bigint not null,
  message jsonb not null,
  received_at timestamptz not null default now(),
  transfer text,
  -- Claimable from here on; while claimed, when the lease ends.
  due_at timestamptz not null default now(),
  owner text,
  claims integer not null default 0,
  attempts integer not null default 0,
  fault text,
  done_at timestamptz,
  dead_at timestamptz,
  primary key (from_party_key, message_id)
);
create index inbox_due on inbox (due_at) where done_at is null and dead_at is null;
create index inbox_dead on inbox (practice, dead_at) where dead_at is not null;
create index inbox_transfer on inbox (practice, transfer) where transfer is not null;

-- Messages, jobs, timers and notices: one queue, one claim.
create table outbox (
  id bigint generated always as identity primary key,
  practice text not null,
  transfer text not null,
  kind text not null check (kind in ('message', 'job', 'timer', 'notice')),
  -- A timer's or job's name, a message's id.
  name text not null,
  body jsonb not null,
  queued_at timestamptz not null default now(),
  due_at timestamptz not null,
  -- A message: when its contract says that nobody waits any more.
  until timestamptz,
  owner text,
  -- Raised by each claim: with the owner it fences off a worker that lost its lease.
  claims integer not null default 0,
  -- Raised only when bytes may have arrived, or a job ran into a fault.
  attempts integer not null default 0,
  fault text,
  dead_at timestamptz
);
create index outbox_due on outbox (kind, due_at, id) where dead_at is null;
create unique index outbox_timer on outbox (transfer, name) where kind = 'timer';
create index outbox_transfer on outbox (practice, transfer);
create index outbox_dead on outbox (practice, dead_at) where dead_at is not null;

-- Every id that an answer may name, and what it was.
create table sent_messages (
  practice text not null,
  id text not null,
  transfer text not null,
  interaction text not null,
  primary key (practice, id)
);

-- Requesting: messages and attachments that were announced, or came before their announcement.
create table parts (
  practice text not null,
  transfer text not null,
  -- The message id; for an attachment that rode inside a message, that message's id and a number.
  key text not null,
  under text,
  number integer not null default 0,
  announced jsonb not null,
  is_index boolean not null default false,
  content jsonb,
  came_at timestamptz,
  primary key (practice, transfer, key)
);
create index parts_waiting on parts (practice, transfer) where came_at is null;
create index parts_key on parts (practice, key);

-- Sending: messages whose ids were fixed before the core left.
create table outgoing_parts (
  practice text not null,
  transfer text not null,
  message_id text not null,
  under text not null,
  number integer not null,
  kind text not null check (kind in ('index', 'piece')),
  announced jsonb not null,
  content jsonb,
  answer text,
  primary key (practice, transfer, message_id)
);

-- What happened, in order: the timeline, and what management information is made from.
create table history (
  practice text not null,
  transfer text not null,
  number integer not null,
  event_id text not null,
  kind text not null,
  at timestamptz not null,
  by jsonb not null,
  from_state text,
  to_state text not null,
  note text not null,
  measured jsonb not null,
  primary key (practice, transfer, number)
);
create unique index history_event on history (transfer, event_id);

create table tasks (
  id bigint generated always as identity primary key,
  practice text not null,
  transfer text not null,
  task text not null,
  raised_at timestamptz not null default now(),
  due_at timestamptz,
  closed_at timestamptz
);
create unique index tasks_open on tasks (practice, transfer, task) where closed_at is null;
create index tasks_practice on tasks (practice, raised_at) where closed_at is null;

create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  practice text,
  transfer text,
  actor text not null,
  action text not null,
  detail jsonb not null
);
create index audit_practice on audit (practice, at);
