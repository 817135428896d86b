"""The schedules that come with the service; own code that names one of them has its way."""

from periodiq import cron

from worker_service.jobs.declared import Schedule

SCHEDULES = {
    "generate_report": Schedule("generate_report", cron("0 2 * * *"), timezone="UTC"),
    "cleanup_temp": Schedule("cleanup_temp", cron("*/15 * * * *"), timezone="UTC"),
}
