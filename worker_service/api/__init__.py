"""HTTP resources.

Reading order: submitting, jobs, operations and steps (the routes), body, requests, idempotency and lists (what comes
in), representation (what goes out), problems (what goes wrong), queues, actors, health, metrics.
"""
