-- What each practice (`''` where none is known) had received by the end of each of a month's 31 days (UTC), by what became of it: what it
-- received on some days is the difference of two of these numbers, however many transfers there were.
create table platform.received (
  month date not null,
  practice text not null,
  within3 integer[] not null,
  within8 integer[] not null,
  late integer[] not null,
  not_integrated integer[] not null,
  primary key (month, practice)
) with (fillfactor = 60);

-- A fold moves them; what was folded before is counted here, and none may come between.
select from platform.progress where name = 'fold' for update;
insert into platform.received
with counted as materialized (
  select month_utc as month, coalesce(requesting, '') as practice, extract(day from measured_at at time zone 'UTC') as day,
    count(*) filter (where category = 'within3') as within3, count(*) filter (where category = 'within8') as within8,
    count(*) filter (where category = 'late') as late, count(*) filter (where category = 'notIntegrated') as not_integrated
  from platform.transfers where category in ('within3', 'within8', 'late', 'notIntegrated') group by 1, 2, 3),
running as (
  select month, practice, day, sum(within3) over earlier as within3, sum(within8) over earlier as within8, sum(late) over earlier as late,
    sum(not_integrated) over earlier as not_integrated
  from (select distinct month, practice from counted) as each cross join generate_series(1, 31) as day
    left join counted using (month, practice, day)
  window earlier as (partition by month, practice order by day))
select month, practice, array_agg(coalesce(within3, 0) order by day), array_agg(coalesce(within8, 0) order by day),
  array_agg(coalesce(late, 0) order by day), array_agg(coalesce(not_integrated, 0) order by day)
from running group by month, practice;
