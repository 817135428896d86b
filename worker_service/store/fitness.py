"""Whether the server takes jobs and keeps them: what a wrong set-up would show only when it is too late."""

import redis
from redis.exceptions import ConnectionError as LostConnection
from redis.exceptions import TimeoutError as NoAnswer

from ..jobs.errors import StoreUnavailable, StoreUnfit
from .examination import eviction, newer, refused_write
from .keys import Keys


def check_fitness(client: redis.Redis, keys: Keys) -> None:
    """Ask in one round trip; what is raised names no address, because anybody may see it.

    Raises:
        StoreUnavailable: the server does not answer.
        StoreUnfit: it refuses writes, drops keys when its memory is full, or has data of a newer version.
    """
    try:
        pipe = client.pipeline(transaction=False)
        pipe.zrem(keys.sessions, "")  # removes nothing, but only a server that may write does it
        pipe.info("memory")
        pipe.hget(keys.meta, "schema")
        written, memory, schema = pipe.execute(raise_on_error=False)
    except (LostConnection, NoAnswer) as error:
        raise StoreUnavailable(
            f"Redis does not answer ({type(error).__name__}): see whether it runs and JOBS_REDIS_URL is right."
        ) from error
    info = memory if isinstance(memory, dict) else {}  # a managed server may refuse to tell
    wrong = [each.text for each in (*refused_write(written), *eviction(info), *newer(schema))]
    if wrong:
        raise StoreUnfit(" ".join(wrong))
