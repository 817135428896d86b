"""Benchmarks against stock Dramatiq on the same machine in the same minutes; see README.md.

Reading order: jobs, actors_ours, actors_stock (what runs), contestants (who), stage (server and worker of one
measurement), produce (what sends), then one file per question: drain, latency, idle, delayed, enqueue.
Kept empty, because workers of stock Dramatiq import it without our dependencies.
"""
