-- The message as its transfer knows it, where an answer may name it by another id: its HL7 id, its extract's, or that of the same message
-- made anew after its time was over.
alter table sent_messages add column message_id text;
update sent_messages set message_id = id;
alter table sent_messages alter column message_id set not null;
