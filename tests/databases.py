"""A PostgreSQL server of our own, from the binaries of this system. No test touches one that was there before."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from tests.waiting import wait_until

USERS = ("postgres", "nobody")
"""Who runs the server when the tests run as root, which it refuses."""


def find(program: str) -> str:
    """Where a program of PostgreSQL is: on PATH, or where Debian puts the newest one."""
    newest = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda path: float(path.parts[4])
    )
    found = shutil.which(program) or (str(newest[-1]) if newest else None)
    assert found, f"no {program}: apt-get install postgresql"
    return found


class Postgres:
    """A running server on a unix socket, with data that end with it."""

    def __enter__(self) -> Self:
        user = next(filter(_exists, USERS)) if os.getuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        if user is not None:
            shutil.chown(self._folder, user)
        data = self._folder / "data"
        where = ["-D", str(data)]
        initdb = [
            find("initdb"),
            *where,
            "-U",
            "test",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]
        subprocess.run(initdb, user=user, cwd=self._folder, check=True, stdout=subprocess.DEVNULL)
        serve = [find("postgres"), *where, "-h", "", "-k", str(self._folder), "-c", "fsync=off"]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(serve, user=user, cwd=self._folder, stdout=log, stderr=log)
        wait_until(self._is_ready, timeout=30, message="PostgreSQL did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)  # its fast shutdown
        self._process.wait(30)
        shutil.rmtree(self._folder)

    @property
    def url(self) -> str:
        """Its address as SQLAlchemy wants it; the database is the one that initdb makes."""
        return f"postgresql+psycopg://test@/postgres?host={self._folder}"

    def _is_ready(self) -> bool:
        log = (self._folder / "log").read_text()
        assert self._process.poll() is None, log
        return "ready to accept connections" in log


def _exists(user: str) -> bool:
    import pwd

    return any(entry.pw_name == user for entry in pwd.getpwall())
