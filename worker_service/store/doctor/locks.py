"""Locks on unique work: a job says that it holds one exactly when the lock says so."""

from .look import Look, Says

CHECK = "locks"

SAYS: Says = {
    "lock_without_owner": (
        "The lock {subject} has no owner that holds it ({detail}): the same work would be refused for ever.",
        "release it",
    ),
    "forgotten_lock": (
        "Job {detail} owns the lock {subject}, and does not know of it: the same work could be done twice.",
        "tell it",
    ),
    "no_follower": (
        "The lock {subject} names job {detail} as the one that follows, and it does not.",
        "forget it",
    ),
    "follower_without_lock": (
        "Job {subject} waits for the owner of the lock {detail}, which does not know of it: it would wait for ever.",
        "let it follow the owner, or run",
    ),
    "holder_without_lock": (
        "Job {subject} should hold the lock {detail}, and does not: the same work could be done twice.",
        "give the lock back to it, unless another job has it",
    ),
}


def check_locks(look: Look) -> None:
    """Jobs first, so that a lock is given back before it is released."""
    for ids in look.names("job"):
        look.examine(CHECK, SAYS, "examine_holders", ids)
    for digests in look.names("unique"):
        look.examine(CHECK, SAYS, "examine_locks", digests)
