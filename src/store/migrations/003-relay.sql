-- A node in the place of the existing message adaptor: messages that a client posted, and messages that wait for its queue.
create table relayed_out (
  message_id text primary key,
  -- Of what was posted: the same id with another body is refused.
  digest text not null,
  packed jsonb not null,
  url text not null,
  queued_at timestamptz not null default now(),
  due_at timestamptz not null default now(),
  until timestamptz not null,
  owner text,
  claims integer not null default 0,
  attempts integer not null default 0,
  -- What the client is told, now and whenever it posts the same again.
  outcome jsonb
);
create index relayed_out_due on relayed_out (due_at) where outcome is null;

create table relayed_in (
  from_party_key text not null,
  message_id text not null,
  id bigint generated always as identity unique,
  conversation_id text not null,
  digest text not null,
  -- The queue message; null where the message was refused.
  object jsonb,
  refused jsonb,
  received_at timestamptz not null default now(),
  due_at timestamptz not null default now(),
  owner text,
  claims integer not null default 0,
  attempts integer not null default 0,
  fault text,
  done_at timestamptz,
  primary key (from_party_key, message_id)
);
create index relayed_in_due on relayed_in (due_at) where done_at is null;
