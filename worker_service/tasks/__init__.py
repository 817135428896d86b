"""The work of the built-in actors: plain functions that know no queue."""
