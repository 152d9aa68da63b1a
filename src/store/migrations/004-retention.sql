-- When a transfer's content was erased; a transfer that began again since has content of its own, and an end after that time.
alter table transfers add column content_erased_at timestamptz;
create index transfers_ended on transfers (ended_at) where ended_at is not null;
create index transfers_rejected on transfers (ended_at) where outcome = 'rejected' and content_erased_at is null;

-- Objects of a wrong patient that are to go as soon as nobody can be in the middle of storing the same bytes.
create table erasures (
  sha256 text primary key,
  bytes bigint not null,
  since timestamptz not null default now()
);

-- What is left of transfers whose metadata are gone.
create table past_transfers (
  practice text not null,
  role text not null,
  outcome text not null,
  month date not null,
  transfers bigint not null,
  primary key (practice, role, outcome, month)
);
