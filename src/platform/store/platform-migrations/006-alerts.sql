-- What somebody should look at: raised once for each transfer and threshold, and once for each time that a rate of failures rose.
create table platform.alerts (
  id bigint generated always as identity primary key,
  kind text not null,
  -- A conversation; of a rate, whose it is: `EMIS > SystmOne`, `England`.
  subject text not null,
  -- Of a rate: the day on which it rose, since it may rise again. Of a transfer nothing: each threshold is crossed once.
  episode text not null default '',
  crossed_at timestamptz not null,
  raised_at timestamptz not null,
  cleared_at timestamptz,
  -- `resolved`: what was waited for happened, or will not any more. `aged`: nobody can change it any more.
  cleared_as text check (cleared_as in ('resolved', 'aged')),
  requesting text,
  sending text,
  requesting_supplier text,
  sending_supplier text,
  detail jsonb,
  unique (kind, subject, episode)
);
create index alerts_open on platform.alerts (crossed_at, id) where cleared_at is null;

-- What is posted to the webhook, byte for byte the same however often it is tried.
create table platform.alert_posts (
  id uuid primary key,
  number bigint generated always as identity,
  body text not null,
  made_at timestamptz not null,
  due_at timestamptz not null,
  attempts integer not null default 0,
  state text not null default 'waiting' check (state in ('waiting', 'delivered', 'given up')),
  fault text,
  settled_at timestamptz
);
create index alert_posts_waiting on platform.alert_posts (number) where state = 'waiting';

-- Registrations with a previous practice of which nothing more was told.
create index transfers_unasked on platform.transfers (registered_at) where result = 'Unknown' and sending is not null and requested_at is null;
