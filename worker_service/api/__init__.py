"""HTTP resources.

Reading order: submitting and jobs (the routes), body, requests, idempotency and lists (what comes in),
representation (what goes out), problems (what goes wrong), actors, health, metrics.
"""
