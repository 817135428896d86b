"""HTTP resources.

Reading order: jobs (the routes), body and requests (what comes in), representation (what goes out), problems
(what goes wrong), health, metrics.
"""
