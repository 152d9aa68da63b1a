-- What a decision was made from beside the transfer itself: the event, and the facts that were read for it. Null in entries of before, and
-- once the transfer's content is erased.
alter table history add column basis jsonb;
