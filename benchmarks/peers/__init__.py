"""How each system is asked for the same work: a module, or a program, for each, set up as its own documentation
recommends for speed with safety.

A Python module offers three functions to `produce.py`: ``send(job, *args)``, ``send_many(job, rows)`` in the
fastest way that is documented, and ``send_later(job, delay_ms, *args)``. A worker imports the same module. Programs in
other languages take the same words on the command line as `produce.py`.
"""
