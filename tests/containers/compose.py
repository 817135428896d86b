"""What compose.yaml says, in Podman's words: the tests run what is deployed."""

import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

_FILE = Path(__file__).parents[2] / "compose.yaml"
_SAID: dict[str, Any] = yaml.safe_load(_FILE.read_text())
_DONE_BY_TESTS = {"image", "build", "depends_on", "restart", "scale", "healthcheck"}
_TRANSLATED = {
    *("command", "user", "read_only", "tmpfs", "cap_drop", "security_opt", "stop_grace_period"),
    *("environment", "ports", "volumes", "networks"),
}

ROLES = ("web", "worker", "scheduler")
SERVER = "valkey"
VOLUMES = sorted(
    {
        volume.partition(":")[0]
        for name in (*ROLES, SERVER)
        for volume in _SAID["services"][name].get("volumes", [])
    }
)
KEY_FILE: str = _SAID["services"]["web"]["environment"]["JOBS_ADMIN_KEY_FILE"]
INTERNAL: dict[str, bool] = {
    name: bool(network and network.get("internal")) for name, network in _SAID["networks"].items()
}
"""Whether a network leads nowhere else, by its name."""


def command(service: str) -> list[str]:
    """What a service runs; nothing where that is the image's own command."""
    said = _service(service).get("command", [])
    return shlex.split(said) if isinstance(said, str) else list(said)


def health_check(service: str) -> list[str]:
    """The command that tells whether one of ours is healthy."""
    kind, *words = _service(service)["healthcheck"]["test"]
    assert kind == "CMD"
    return list(words)


def options(service: str, names: str, values: dict[str, str]) -> list[str]:
    """How ``podman run`` starts a service.

    Args:
        names: begins the names of networks and volumes.
        values: of variables that the file leaves open.
    """
    said = _service(service)
    unknown = set(said) - _TRANSLATED - _DONE_BY_TESTS
    assert not unknown, f"the tests cannot say in Podman's words what {service} wants: {unknown}"
    user = [said["user"]] if "user" in said else []
    # What has no value is taken from the shell, which has none here.
    environment = {name: value for name, value in said.get("environment", {}).items() if value is not None}
    return [
        # Podman alone would add places to write on, where Docker has none.
        *(["--read-only", "--read-only-tmpfs=false"] if said.get("read_only") else []),
        *_each("--tmpfs", said.get("tmpfs", [])),
        *_each("--cap-drop", said.get("cap_drop", [])),
        *_each("--security-opt", said.get("security_opt", [])),
        *_each("--user", user),
        *_each("--env", [f"{name}={value}" for name, value in environment.items()]),
        *_each("--network", [f"{names}-{network}" for network in said["networks"]]),
        *_each("--volume", [f"{names}-{volume}" for volume in said.get("volumes", [])]),
        *_each("--publish", [_filled_in(port, values) for port in said.get("ports", [])]),
        *("--stop-timeout", said["stop_grace_period"].removesuffix("s")),
    ]


def _service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = _SAID["services"][name]
    return found


def _each(option: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (option, value)]


def _filled_in(text: str, values: dict[str, str]) -> str:
    return re.sub(r"\$\{(\w+):-(.*?)\}", lambda found: values.get(found[1], found[2]), text)
