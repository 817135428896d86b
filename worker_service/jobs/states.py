"""The state machine of a job, written once; a test holds docs/job-lifecycle.md and the Lua scripts to it."""

from enum import StrEnum


class State(StrEnum):
    """Where a job stands; each member says who moves the job on."""

    SCHEDULED = "scheduled"
    """Wanted later, or waiting uncharged (see wait_reason); a claim promotes it when it is due."""
    QUEUED = "queued"
    """May be claimed."""
    RUNNING = "running"
    """A session holds it under a token; the session finishes it, or a rescue takes it back."""
    RETRYING = "retrying"
    """A charged delivery failed or crashed; a claim promotes it when it is due."""
    SUCCEEDED = "succeeded"
    """Done; pruned after its retention."""
    DEAD = "dead"
    """Given up; kept for a person to look at."""
    CANCELLED = "cancelled"
    """Stopped by a person, before it started or while it ran."""
    EXPIRED = "expired"
    """Not started before its deadline."""


FINAL = frozenset({State.SUCCEEDED, State.DEAD, State.CANCELLED, State.EXPIRED})
WAITING = frozenset({State.SCHEDULED, State.QUEUED, State.RETRYING})

#: A damaged record is buried by whichever script meets it.
_BURIED = {(state, State.DEAD) for state in (*WAITING, State.RUNNING)}

#: A group's callback, when a member cannot complete any more.
_CALLBACK_OF_FAILED = (None, State.DEAD)

#: The delivery of its webhook, created with the end of a job.
_DELIVERY = (None, State.QUEUED)

#: Its deadline passed before it began; with what that means for its group and its webhook.
_EXPIRES = {
    (State.QUEUED, State.EXPIRED),
    (State.SCHEDULED, State.EXPIRED),
    _CALLBACK_OF_FAILED,
    _DELIVERY,
}

#: A newer job of the same work pushes back the one that waits.
_DEBOUNCED = (State.QUEUED, State.SCHEDULED)

#: The callbacks of a group, when it is found complete or failed after the event.
_CALLBACKS = frozenset({(None, State.QUEUED), (None, State.SCHEDULED), (None, State.DEAD), *_EXPIRES})

#: script -> the moves it may make, as (from, to); None is "no job yet".
TRANSITIONS: dict[str, frozenset[tuple[State | None, State]]] = {
    "submit": frozenset(
        {
            (None, State.QUEUED),
            (None, State.SCHEDULED),
            (None, State.DEAD),  # a follow-up that cannot run
            _DEBOUNCED,
            *_EXPIRES,  # the owner of the same work
        }
    ),
    "fire": frozenset(
        {
            (None, State.QUEUED),
            (None, State.SCHEDULED),  # its tick is still to come on the server's clock
            (None, State.DEAD),  # as submit can; no scheduler asks for it
            _DEBOUNCED,
            *_EXPIRES,  # the owner of the same work
        }
    ),
    "claim": frozenset(
        {
            (State.SCHEDULED, State.QUEUED),
            (State.RETRYING, State.QUEUED),
            (State.QUEUED, State.RUNNING),
            (State.QUEUED, State.EXPIRED),
            (State.QUEUED, State.RETRYING),  # a job that crashed waits for a process that runs none such
            *_BURIED,
            _CALLBACK_OF_FAILED,
            _DELIVERY,
        }
    ),
    "finish": frozenset(
        {
            (State.RUNNING, State.SUCCEEDED),
            (State.RUNNING, State.RETRYING),
            (State.RUNNING, State.SCHEDULED),
            (State.RUNNING, State.DEAD),
            (State.RUNNING, State.QUEUED),
            (State.RUNNING, State.CANCELLED),
            (None, State.QUEUED),
            (None, State.SCHEDULED),
            (None, State.DEAD),  # a follow-up that cannot run, and the above
            _DEBOUNCED,
            *_EXPIRES,  # the owner of the same work
        }
    ),
    "rescue": frozenset(
        {
            (State.RUNNING, State.RETRYING),
            (State.RUNNING, State.DEAD),
            (State.RUNNING, State.QUEUED),
            (State.RUNNING, State.CANCELLED),
            _CALLBACK_OF_FAILED,
            _DELIVERY,
        }
    ),
    "close_session": frozenset(
        {
            (State.RUNNING, State.QUEUED),
            (State.RUNNING, State.CANCELLED),
            (State.RUNNING, State.DEAD),  # a damaged record
            _CALLBACK_OF_FAILED,
            _DELIVERY,
        }
    ),
    "expire": frozenset(_EXPIRES),
    "replay": frozenset({(State.DEAD, State.QUEUED), (State.CANCELLED, State.QUEUED), *_EXPIRES}),
    "replay_as": frozenset(
        {
            (None, State.QUEUED),
            (None, State.SCHEDULED),  # as submit can; nobody asks for it
            (None, State.DEAD),  # the same
            *_EXPIRES,
        }
    ),
    "cancel": frozenset({*((state, State.CANCELLED) for state in WAITING), _CALLBACK_OF_FAILED, _DELIVERY}),
    "purge": frozenset({*((state, State.CANCELLED) for state in WAITING), _CALLBACK_OF_FAILED, _DELIVERY}),
    "run_now": frozenset({(State.SCHEDULED, State.QUEUED), (State.RETRYING, State.QUEUED)}),
    # What the doctor may do in a repair; otherwise it moves nothing.
    "examine_jobs": frozenset({*_BURIED, _CALLBACK_OF_FAILED, _DELIVERY}),
    "examine_messages": frozenset(
        {(None, State.DEAD), _DELIVERY}
    ),  # the record was lost, the message was not
    "examine_members": _CALLBACKS,
    "examine_groups": _CALLBACKS,
}
