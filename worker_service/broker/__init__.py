"""The Dramatiq broker whose every transition is one script.

Reading order: broker (enqueue), submission (a message becomes a job), process (what one worker process runs:
session, claimer, listener, completions, interrupts), consumer (hand-out and ack), proxy (one delivery).
Kept empty so that the keeper process loads neither Dramatiq nor anything else it does not need.
"""
