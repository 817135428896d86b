"""An embedded Valkey or Redis server: what `make run` and the tests store their jobs in."""

from .binary import OLDEST_VERSION, bundled_server, find_server
from .errors import (
    DataDamaged,
    DataDirInUse,
    EmbeddedServerError,
    NotRepairable,
    ServerNotFound,
    ServerStartFailed,
)
from .repair import Damage, find_damage, repair
from .server import EmbeddedServer

__all__ = [
    "OLDEST_VERSION",
    "Damage",
    "DataDamaged",
    "DataDirInUse",
    "EmbeddedServer",
    "EmbeddedServerError",
    "NotRepairable",
    "ServerNotFound",
    "ServerStartFailed",
    "bundled_server",
    "find_damage",
    "find_server",
    "repair",
]
