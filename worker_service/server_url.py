"""Addresses of servers: what is wrong with one, and what those say that name sentinels.

    redis+sentinel://[user:password@]host[:port][,host[:port]...]/service[/database][?option=value&...]

User and password are the server's; the sentinels' own are the options ``sentinel_username`` and ``sentinel_password``.
The other options are those of redis-py. ``rediss+sentinel://`` asks servers and sentinels over TLS.

No error repeats any of an address: what was not encoded in a password stands anywhere in it.
"""

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, urlencode, urlsplit

from .names import did_you_mean

OF_SENTINELS = ("redis+sentinel://", "rediss+sentinel://")
SCHEMES = ("redis://", "rediss://", "unix://", *OF_SENTINELS)
SENTINEL_PORT = 26379

_OWN = ("sentinel_username", "sentinel_password")
_SHAPE = "redis://user:password@host:6379/0"
_SENTINEL_SHAPE = "redis+sentinel://host:port,host:port/service/0"
_ENCODED = "with special characters of user and password percent-encoded"


@dataclass(frozen=True, slots=True)
class SentinelUrl:
    """What an address says that names sentinels.

    Attributes:
        sentinels: hosts and ports.
        service: what the sentinels call the primary.
        server: the address of the primary as redis-py reads it, with a host of no meaning.
        login: user and password of the sentinels.
        is_encrypted: whether servers and sentinels are reached over TLS.
    """

    sentinels: list[tuple[str, int]]
    service: str
    server: str
    login: dict[str, str]
    is_encrypted: bool

    @classmethod
    def read(cls, url: str) -> "SentinelUrl":
        """Read an address.

        Raises:
            ValueError: it is none.
        """
        parts = _split(url, _SENTINEL_SHAPE)
        login, at, hosts = parts.netloc.rpartition("@")
        service, _, database = parts.path.lstrip("/").partition("/")
        sentinels = [_host_and_port(host) for host in hosts.split(",")]
        if not service:
            raise ValueError(f"name the service behind the sentinels, as in {_SENTINEL_SHAPE}")
        _check_database(database.rstrip("/"), _SENTINEL_SHAPE)
        options = parse_qs(parts.query)
        own = {name: options.pop(name)[-1] for name in _OWN if name in options}
        for name in options:
            if name.startswith("sentinel_"):
                raise ValueError(f"it has an option that there is not.{did_you_mean(name, _OWN)}")
        scheme = parts.scheme.removesuffix("+sentinel")
        server = f"{scheme}://{login}{at}server/{database}?{urlencode(options, doseq=True)}"
        login_of_sentinels = {name.removeprefix("sentinel_"): value for name, value in own.items()}
        return cls(sentinels, service, server, login_of_sentinels, scheme == "rediss")

    def __str__(self) -> str:
        """For messages."""
        hosts = ", ".join(f"{host}:{port}" for host, port in self.sentinels)
        return f"{self.service} (as the sentinels at {hosts} say)"


def names_sentinels(url: str) -> bool:
    """Whether an address is one of these."""
    return url.startswith(OF_SENTINELS)


def check_server_url(url: str) -> None:
    """See whether a server can be looked for at an address.

    Raises:
        ValueError: says what is wrong with it.
    """
    if not url.startswith(SCHEMES):
        raise ValueError(f"it begins with none of {', '.join(SCHEMES)}")
    if names_sentinels(url):
        SentinelUrl.read(url)
        return
    parts = _split(url, _SHAPE)
    if _port(parts) is None:
        raise ValueError(f"its port is no number: write it as in {_SHAPE}, {_ENCODED}")
    if parts.scheme != "unix":
        _check_database(parts.path.strip("/"), _SHAPE)


def _split(url: str, shape: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = None
    if parts is None or parts.fragment:
        raise ValueError(f"it is no address: write it as in {shape}, {_ENCODED}")
    return parts


def _check_database(text: str, shape: str) -> None:
    if text and not (text.isascii() and text.isdigit()):
        raise ValueError(f"name the database by its number, as in {shape}, {_ENCODED}")


def _host_and_port(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    port = _port(parts)
    if not parts.hostname or port is None:
        raise ValueError(
            f"name the sentinels by host and port, parted by commas, as in {_SENTINEL_SHAPE}, {_ENCODED}"
        )
    return parts.hostname, port or SENTINEL_PORT


def _port(parts: SplitResult) -> int | None:
    """The port, or 0 where none is named; None when what is named is none."""
    try:
        return parts.port or 0
    except ValueError:
        return None
