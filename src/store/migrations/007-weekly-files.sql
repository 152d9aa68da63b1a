-- Files of the older process for management information: one for each week, of all practices that are still in it.
create table mi_files (
  -- Its Monday.
  week date primary key,
  name text not null,
  state text not null default 'made' check (state in ('made', 'sent', 'acknowledged', 'undeliverable')),
  -- Goes into our id of it: one that was left unfinished is sent under another.
  tries integer not null default 0,
  object jsonb,
  practices integer not null,
  requests integer not null,
  sends integer not null,
  message_id text,
  made_at timestamptz not null default now(),
  due_at timestamptz not null default now(),
  fault text
);
