drop type ops.job_health;
drop table ops.scheduled_job;
