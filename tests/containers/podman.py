"""Podman and Buildah as tests call them: as root, with runc, on images of their own."""

import fcntl
import json
import shutil
import ssl
import subprocess
import sys
import tempfile
from ast import literal_eval
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

TOOLS = ("debootstrap", "buildah", "podman", "runc", "iptables")

SUITE = "bookworm"
BASE = f"localhost/worker-service-test-base:{SUITE}-minbase"
"""Kept for the next run."""
LEFT_OUT = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/info",
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/log",
)
"""As in Debian's slim images."""
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
"""Those of the machine are too high to be asked for where containers are nested."""
NAMES = ("--dns-opt", "timeout:1")
"""Podman's own server of names loses questions while containers come and go; by default they are asked again in 5 s."""

PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "cert", "proxy")
"""Those that say where packages come from."""
CERTIFICATES = "/run/certificates.crt"
"""Where a build finds those that this machine trusts: a base has none yet."""


def missing_tools() -> list[str]:
    """What has to be installed first."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


def run(*command: str | Path, timeout: float = 300) -> str:
    """Output of a command.

    Raises:
        AssertionError: it failed; shows what it said.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)
    assert done.returncode == 0, (
        f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    )
    return done.stdout.strip()


def podman(*arguments: str | Path, timeout: float = 120) -> str:
    """Output of a Podman command."""
    return run("podman", "--runtime", "runc", *arguments, timeout=timeout)


def inspected(what: str) -> dict[str, Any]:
    """What Podman knows of an image or a container."""
    found: dict[str, Any] = json.loads(podman("inspect", what))[0]
    return found


def make_base() -> None:
    """The smallest Debian, unless an earlier run made it."""
    with Path(tempfile.gettempdir(), "worker-service-test-base.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another run may be making it
        if subprocess.run(["podman", "image", "exists", BASE], check=False).returncode:
            _import_debian()


def _import_debian() -> None:
    with tempfile.TemporaryDirectory(prefix="worker-service-base-") as folder:
        root, archive = Path(folder, "root"), Path(folder, "root.tar")
        run("debootstrap", "--variant=minbase", SUITE, root, timeout=600)
        for name in LEFT_OUT:
            shutil.rmtree(root / name)
            (root / name).mkdir()
        run("tar", "--create", "--directory", root, "--file", archive, ".")
        podman("import", archive, BASE)


@contextmanager
def built(tag: str, context: Path, *arguments: str) -> Iterator[str]:
    """Build the Dockerfile of a folder; the image is removed at the end."""
    own = ("--isolation", "chroot", "--format", "docker", "--no-cache", "--force-rm", "--tag", tag)
    run("buildah", "build", *own, *arguments, context, timeout=600)
    try:
        yield tag
    finally:
        podman("rmi", "--force", tag)


def pip_arguments(folder: Path) -> list[str]:
    """What hands this machine's package index to a build; its address stays out of the image."""
    known = _pip_settings()
    mount = []
    if cert := known.get("cert") or ssl.get_default_verify_paths().cafile:
        known["cert"] = CERTIFICATES
        mount = ["--volume", f"{cert}:{CERTIFICATES}:ro"]
    conf = folder / "pip.conf"
    conf.write_text("\n".join(["[global]", *(f"{name} = {value}" for name, value in known.items())]) + "\n")
    return ["--secret", f"id=pip,src={conf}", *mount]


def _pip_settings() -> dict[str, str]:
    """Where packages come from; what pip lists first, the environment, wins."""
    known: dict[str, str] = {}
    for line in run(sys.executable, "-m", "pip", "config", "list").splitlines():
        name, _, value = line.partition("=")
        # A folder of this machine is none in the build.
        words = [word for word in str(literal_eval(value)).split() if not word.startswith("file:")]
        if words and (short := name.rpartition(".")[2]) in PIP_SETTINGS:
            known.setdefault(short, " ".join(words))
    return known


class Containers:
    """The containers of one test, with networks and volumes of their own. Close it.

    Args:
        name: begins the names of all that it makes.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._to_remove: list[tuple[str, ...]] = []

    def network(self, name: str, *, internal: bool) -> None:
        """Make a network; an internal one leads nowhere else."""
        self._make(("network", "create", *(["--internal"] if internal else [])), "network", name)

    def volume(self, name: str) -> None:
        """Make a volume."""
        self._make(("volume", "create"), "volume", name)

    def start(self, role: str, image: str, *command: str, options: Sequence[str]) -> None:
        """Start one, in the place of an earlier one of this name."""
        full = self.full_name(role)
        removal = ("rm", "--force", "--ignore", "--time", "0", full)
        if removal not in self._to_remove:
            self._to_remove.append(removal)
        podman("run", "--detach", "--replace", "--name", full, *LIMITS, *NAMES, *options, image, *command)

    def full_name(self, role: str) -> str:
        """What Podman calls one."""
        return f"{self.name}-{role}"

    def tell(self, role: str, *command: str) -> str:
        """Run a command in one that runs."""
        return podman("exec", self.full_name(role), *command)

    def is_healthy(self, role: str) -> bool:
        """What the health check of its image says."""
        try:
            podman("healthcheck", "run", self.full_name(role))
        except AssertionError:
            return False
        return True

    def kill(self, role: str) -> None:
        """End one at once, all its processes."""
        podman("kill", "--signal", "KILL", self.full_name(role))
        assert podman("wait", self.full_name(role)) == "137"

    def stop(self, role: str) -> int:
        """End one as an orchestrator does; returns the exit code, 137 when it had to be killed."""
        podman("stop", self.full_name(role))
        return int(podman("wait", self.full_name(role)))

    def start_again(self, role: str) -> None:
        """Start one that has ended, with what it had."""
        podman("start", self.full_name(role))

    def close(self) -> None:
        """Remove all of it, the newest first."""
        with ExitStack() as left:
            for removal in self._to_remove:
                left.callback(podman, *removal)

    def _make(self, words: Sequence[str], kind: str, name: str) -> None:
        full = self.full_name(name)
        podman(*words, full)
        self._to_remove.append((kind, "rm", "--force", full))
