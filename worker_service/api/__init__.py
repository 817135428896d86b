"""HTTP resources.

Reading order: access, principal, scopes, keyring (who may ask), submitting, batch, jobs, operations, steps, bulk and
failures (the routes), whole_body, body, batch_body, checked, requests, durability, idempotency, filters and lists (what
comes in), answers and representation (what goes out), documented (what is said of each operation), problems (what goes
wrong), webhooks, queues, actors, keys, login, health, metrics; proxies and headers (what is around all of it).
"""
