-- Files of reports that were written, so that none is written twice, whoever writes and however often.
create table platform.written_files (
  path text primary key,
  kind text not null,
  window_start date not null,
  -- The day behind the last one.
  window_end date not null,
  cutoff_days integer,
  rows integer not null,
  sha256 text not null,
  -- Of reports of transfers.
  transfers integer,
  technical_failures integer,
  written_at timestamptz not null default now()
);
