"""A small shop: a Flask application (web) and what it leaves to worker-service (jobs)."""
