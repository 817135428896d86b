"""The schedules that come with the service; own code that names one of them has its way."""

from periodiq import cron

from worker_service.jobs.declared import Schedule

CANARY = Schedule("canary", cron("* * * * *"), timezone="UTC")
"""Sent where JOBS_CANARY asks for it."""

SCHEDULES = {
    "generate_report": Schedule("generate_report", cron("0 2 * * *"), timezone="UTC"),
    "cleanup_temp": Schedule("cleanup_temp", cron("*/15 * * * *"), timezone="UTC"),
}
