-- Registrations as the weekly files of before the API reported them: one row however often a file was sent. Times are local texts there.
create table platform.mesh_registrations (
  key text primary key,
  conversation text,
  registered_at timestamp not null,
  requesting text not null,
  sending text,
  kind text not null,
  record jsonb not null
);
create index mesh_registrations_by_time on platform.mesh_registrations (registered_at);
