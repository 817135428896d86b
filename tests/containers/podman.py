"""Podman and Buildah as tests call them: as root, with runc, on images of their own."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TOOLS = ("debootstrap", "buildah", "podman", "runc")

BASE = "localhost/worker-service-test-base:bookworm"
"""Kept for the next run: it takes most of the time."""
SUITE = "bookworm"
PACKAGES = "ca-certificates,python3,tini"
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

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def missing_tools() -> list[str]:
    """What has to be installed first."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


def run(*command: str | Path, stdin: int | None = None, timeout: float = 300) -> str:
    """Output of a command.

    Raises:
        AssertionError: it failed; shows what it said.
    """
    done = subprocess.run(command, stdin=stdin, capture_output=True, text=True, check=False, timeout=timeout)
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
    """The smallest Debian with Python, unless an earlier run made it."""
    if subprocess.run(["podman", "image", "exists", BASE], check=False).returncode == 0:
        return
    with tempfile.TemporaryDirectory(prefix="worker-service-base-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, root, timeout=600)
        for name in LEFT_OUT:
            shutil.rmtree(root / name)
            (root / name).mkdir()
        for cache in root.rglob("__pycache__"):
            shutil.rmtree(cache)
        with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as archive:
            assert archive.stdout is not None
            run("podman", "import", "-", BASE, stdin=archive.stdout.fileno())


def build(tag: str, context: Path, *arguments: str) -> None:
    """Build the Dockerfile of a folder."""
    own = ("--isolation", "chroot", "--format", "docker", "--tag", tag)
    run("buildah", "build", *own, *arguments, context, timeout=600)


def pip_arguments(folder: Path) -> tuple[str, ...]:
    """What hands this machine's package index to a build; its address stays out of the image."""
    listed = run("python3", "-m", "pip", "config", "list").splitlines()
    pairs = [line.partition("=") for line in listed]
    known = {name.rpartition(".")[2]: value.strip("'\"") for name, _, value in pairs}
    kept = [
        name for name in ("index-url", "extra-index-url", "trusted-host", "cert", "proxy") if name in known
    ]
    lines = [
        f"{name} = {known[name]}" for name in kept if "file:" not in known[name]
    ]  # a folder of this machine is none in the build
    conf = folder / "pip.conf"
    conf.write_text("\n".join(["[global]", *lines]) + "\n")
    mounts = [f"{CERTIFICATES}:{CERTIFICATES}:ro"] if Path(CERTIFICATES).exists() else []
    if "cert" in known and known["cert"] != CERTIFICATES:
        mounts.append(f"{known['cert']}:{known['cert']}:ro")
    volumes = [word for mount in mounts for word in ("--volume", mount)]
    return ("--secret", f"id=pip,src={conf}", *volumes)


class Containers:
    """The containers of one test, on a network of their own. Close it.

    Args:
        name: begins the names of all that it makes.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._running: list[str] = []
        self._volumes: list[str] = []
        podman("network", "create", name)

    def start(self, role: str, image: str, *command: str, options: Sequence[str] = ()) -> None:
        """Start one as compose.yaml does: nothing to write on, no rights. Others reach it by its role."""
        confined = (
            "--read-only",
            "--tmpfs",
            "/tmp",
            "--cap-drop",
            "all",
            "--security-opt",
            "no-new-privileges",
        )
        names = ("--name", self.full_name(role), "--hostname", role, "--network", self.name)
        arguments = ("--detach", "--no-healthcheck", "--network-alias", role, *names, *LIMITS, *confined)
        self._running.append(role)
        podman("run", *arguments, *options, image, *command)

    def volume(self, name: str) -> str:
        """A volume that goes with the containers."""
        full = f"{self.name}-{name}"
        if full not in self._volumes:
            self._volumes.append(full)
            podman("volume", "create", full)
        return full

    def full_name(self, role: str) -> str:
        """What Podman calls one."""
        return f"{self.name}-{role}"

    def tell(self, role: str, *command: str) -> str:
        """Run a command in one that runs."""
        return podman("exec", self.full_name(role), *command)

    def kill(self, role: str) -> None:
        """End one at once, all its processes."""
        podman("kill", "--signal", "KILL", self.full_name(role))
        self._remove(role)

    def stop(self, role: str, seconds: int) -> int:
        """End one as an orchestrator does; returns the exit code, 137 when it had to be killed."""
        podman("stop", "--time", str(seconds), self.full_name(role), timeout=seconds + 60)
        code = int(inspected(self.full_name(role))["State"]["ExitCode"])
        self._remove(role)
        return code

    def restart(self, role: str) -> None:
        """Stop one and start it again, with what it has."""
        podman("restart", "--time", "30", self.full_name(role))

    def _remove(self, role: str) -> None:
        podman("rm", "--force", self.full_name(role))
        self._running.remove(role)

    def close(self) -> None:
        """Remove all of it."""
        for role in list(self._running):
            self._remove(role)
        for volume in self._volumes:
            podman("volume", "rm", "--force", volume)
        podman("network", "rm", "--force", self.name)
