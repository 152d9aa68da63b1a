-- National events of management information: what is to be told, and what the national service answered. Nothing there can be read back,
-- so this is the only record of what was told.
create table mi_events (
  id bigint generated always as identity primary key,
  practice text not null,
  -- Transfer, conversation and the hour are left out of a degrade's row: nothing may lead from one to the other.
  transfer text,
  conversation_id text,
  role text not null check (role in ('requesting', 'sending')),
  other_practice text,
  path text not null,
  -- What it is: it is told once in a transfer.
  key text,
  -- When it happened; no two of one transfer and path have the same time.
  at timestamptz not null,
  payload jsonb,
  -- An object that holds what is too long for a row.
  list jsonb,
  -- By the published rule; a degrade's is given by the service.
  event_id text,
  state text not null default 'waiting' check (state in ('waiting', 'posting', 'taken', 'refused', 'unknown')),
  fault text,
  settled_at timestamptz
);
create unique index mi_events_key on mi_events (transfer, key) where transfer is not null;
create index mi_events_moment on mi_events (transfer, path, at) where transfer is not null;
create index mi_events_practice on mi_events (practice, at);
create index mi_events_open on mi_events (practice, path) where state <> 'taken';

alter table outbox drop constraint outbox_kind_check;
alter table outbox add constraint outbox_kind_check check (kind in ('message', 'job', 'timer', 'notice', 'mi'));
