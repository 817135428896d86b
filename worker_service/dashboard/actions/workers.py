"""What is done to a worker process."""

from .action import Action

QUIET_WORKER = Action(
    name="quiet-worker",
    endpoint="workers.quiet",
    button="Quiet",
    title="Quiet the worker {id}?",
    text="It takes no more jobs; what runs goes on. Only a new process takes jobs again.",
    done="The worker was asked to take no more jobs.",
    places=("id",),
    is_grave=True,
)
STOP_WORKER = Action(
    name="stop-worker",
    endpoint="workers.stop",
    button="Stop",
    title="Stop the worker {id}?",
    text="It ends as by SIGTERM: what runs may finish within the grace.",
    done="The worker was asked to end.",
    places=("id",),
    is_grave=True,
)
ACTIONS = (QUIET_WORKER, STOP_WORKER)
