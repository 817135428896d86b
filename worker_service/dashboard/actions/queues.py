"""What is done to a queue."""

from ..asking import ask
from .action import Action, Field, Given

QUEUE = ("queue",)
MOST = Field("max_depth", "Most jobs that wait", kind="number", hint="Left out: any number.")


def _says_how_many_wait(given: Given) -> str:
    queue = ask("queues.show", {"queue": given.get("queue", "")}).json
    waiting, later = queue["queued"], queue["scheduled_or_retrying"]
    return f"{waiting:,} wait in line now, {later:,} for their time."


PAUSE_QUEUE = Action(
    name="pause-queue",
    endpoint="queues.pause",
    button="Pause",
    title="Pause the queue {queue}",
    text="Its jobs are accepted, but not started; what runs goes on.",
    done="The queue is paused.",
    places=QUEUE,
    fields=(
        Field("reason", "Why", required=True, hint="Everybody who looks at the queue reads it."),
        Field("until", "Until (UTC)", kind="instant", hint="Left out: until somebody resumes it."),
    ),
)
RESUME_QUEUE = Action(
    name="resume-queue",
    endpoint="queues.resume",
    button="Resume",
    title="Resume the queue {queue}",
    done="Jobs of the queue are started again.",
    places=QUEUE,
)
LIMIT_QUEUE = Action(
    name="limit-queue",
    endpoint="queues.limit",
    button="Limit",
    title="Limit the queue {queue}",
    text="With so many jobs waiting in it, further ones from outside are refused with 503.",
    done="The limit is set.",
    places=QUEUE,
    fields=(MOST,),
    body=lambda given: {MOST.name: MOST.read(given.get(MOST.name, ""))},  # null, too, is a limit
)
PURGE_QUEUE = Action(
    name="purge-queue",
    endpoint="purging.purge",
    button="Purge",
    title="Purge the queue {queue}?",
    text="All that waits in it is cancelled, scheduled jobs and retries too.",
    done="Jobs of the queue that were cancelled: {cancelled}.",
    places=QUEUE,
    says=_says_how_many_wait,
    fields=(Field("confirm", "Type the name of the queue", required=True, hint="{queue}", equals="queue"),),
    is_grave=True,
)
ACTIONS = (PAUSE_QUEUE, RESUME_QUEUE, LIMIT_QUEUE, PURGE_QUEUE)
