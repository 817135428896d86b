"""The header ``Durability``: how safe a job has to be before its request is answered."""

from werkzeug.datastructures import Headers

from ..broker.broker import JobBroker
from ..jobs.errors import InvalidJob
from ..names import did_you_mean
from ..store import Level

HEADER = "Durability"
ABOUT_DURABILITY = {
    HEADER: "When to answer: memory (as soon as Redis has the job, as without this header), fsync (when it is in the "
    "append-only file on the disk, Redis or Valkey 7.2) or replica (when a second server has it too). 503 when that "
    "takes too long: the job is accepted then, and the same request with the same Idempotency-Key waits again."
}
"""For documents of operations that take it."""

_LEVELS: dict[str, Level | None] = {"memory": None, "fsync": "fsync", "replica": "replica"}


def read_level(headers: Headers, broker: JobBroker) -> Level | None:
    """What to wait for; None: for nothing beyond the answer of Redis.

    Raises:
        InvalidJob: there is no such level, or Redis cannot say whether it is reached.
    """
    given = headers.get(HEADER, "memory")  # of two headers, the server has joined the values
    if given not in _LEVELS:
        raise InvalidJob(
            f"{HEADER}: there is no level {given!r}.{did_you_mean(given, _LEVELS)}",
            code="unknown_level",
        )
    level = _LEVELS[given]
    if level is not None:
        broker.vitals.check_level(level)
    return level
