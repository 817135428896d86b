"""The scheduler process: ``python -m scheduler``. Any number may run; each tick gets one job.

Reading order: schedules and declarations (what code says), plan (what the store has), triggers (when: APScheduler as
the clock), firing (fires ticks through the store), leadership, service (all together), __main__ (signals, errors).
"""
