"""HTTP resources.

Reading order: submitting, jobs, operations, steps, bulk and failures (the routes), body, checked, requests,
idempotency, filters and lists (what comes in), representation (what goes out), problems (what goes wrong), queues,
actors, health, metrics.
"""
