"""Pure rules: states and transitions, backoff, signatures, errors. Nothing here knows Redis, Dramatiq or Flask."""
