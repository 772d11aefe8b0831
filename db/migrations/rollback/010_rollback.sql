drop table coins.queue_mark;
