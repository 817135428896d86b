"""The address of a server as people see it, and what they are told when it does not work."""

import re
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError
from redis.exceptions import ConnectionError as LostConnection
from redis.exceptions import TimeoutError as NoAnswer
from redis.retry import Retry

from ..jobs.errors import StoreUnavailable
from ..server_url import SentinelUrl, names_sentinels
from .sentinels import primary_pool

ANSWER_SECONDS = 3.0

_WAYS_OUT = (
    "Start it, correct JOBS_REDIS_URL, or unset JOBS_REDIS_URL and REDIS_URL: "
    "then `worker-service up` starts a server of its own."
)

_USER_INFO = re.compile(r"(?<=://)([^/@]*?)(?::[^/]*)?@")
_PASSWORD_OPTION = re.compile(r"(?<=password=)[^&]*")


def shown_url(url: str) -> str:
    """The address without its password, for logs and screens."""
    return _PASSWORD_OPTION.sub("***", _USER_INFO.sub(r"\1:***@", url))


def check_server(url: str) -> None:
    """See once whether the server answers and lets us in.

    Raises:
        StoreUnavailable: it does not, within about three seconds for each of its network addresses; says what
            to do.
    """
    client = _client(url)
    where = str(SentinelUrl.read(url)) if names_sentinels(url) else _place(client)
    try:
        client.ping()
    except AuthenticationError as error:
        wrong = (
            "refuses the user or the password of JOBS_REDIS_URL" if _password(client) else "wants a password"
        )
        raise StoreUnavailable(
            f"The server at {where} {wrong}. Write JOBS_REDIS_URL=redis://user:password@host:port/0, "
            "with special characters percent-encoded."
        ) from error
    except NoAnswer as error:
        raise StoreUnavailable(
            f"The server at {where} does not answer within {ANSWER_SECONDS:.0f} s. {_WAYS_OUT}"
        ) from error
    except LostConnection as error:
        raise StoreUnavailable(f"The server at {where} cannot be reached: {error} {_WAYS_OUT}") from error
    except (RedisError, TypeError) as error:  # TypeError: an option behind the "?" that there is not
        raise StoreUnavailable(f"The server at {where} cannot be used: {error}. {_WAYS_OUT}") from error
    finally:
        client.close()


def _client(url: str) -> redis.Redis:
    options: dict[str, Any] = {
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": ANSWER_SECONDS,
        "driver_info": None,
    }
    if not url.startswith("unix:"):
        options["socket_connect_timeout"] = ANSWER_SECONDS
    try:
        if names_sentinels(url):
            return redis.Redis(connection_pool=primary_pool(SentinelUrl.read(url), **options))
        return redis.Redis.from_url(url, **options)
    except ValueError as error:
        raise StoreUnavailable(f"JOBS_REDIS_URL={shown_url(url)} is no address: {error}") from error


def _place(client: redis.Redis) -> str:
    asked = client.connection_pool.connection_kwargs
    return str(asked["path"]) if "path" in asked else f"{asked['host']}:{asked.get('port', 6379)}"


def _password(client: redis.Redis) -> str | None:
    password: str | None = client.connection_pool.connection_kwargs.get("password")
    return password
