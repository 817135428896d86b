"""The scheduler process: ``python -m scheduler``. Any number may run; each tick gets one job.

Reading order: schedules (what fires), triggers (when: APScheduler as the clock), backlog (which ticks are still to be
fired), firing (fires them through the store), service (all of it together), __main__ (signals and errors).
"""
