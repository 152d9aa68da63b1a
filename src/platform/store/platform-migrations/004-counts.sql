-- Counts are added to where they stand; a page with room on it takes the new version of a row without touching an index.
alter table platform.months set (fillfactor = 60);
alter table platform.pathway_months set (fillfactor = 60);

-- A fold takes out of the counts what a transfer was and puts in what it is. Whatever changes what is counted begins anew, as here.
truncate platform.transfers, platform.months, platform.pathway_months;
update platform.progress set batch = 0 where name = 'fold';
