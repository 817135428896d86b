"""The shop as it is deployed: the service's web process, a worker with the shop's actors, its own web process."""

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import httpx2
from sqlalchemy import create_engine, text

from tests.examples.partner import Partner
from tests.examples.stripe_api import KEY, StripeApi
from tests.mail_host import MailHost
from tests.up.service import PROGRAMS, RunningService, free_port
from tests.waiting import wait_until

HERE = Path(__file__).parent


class RunningShop:
    """All of them, in a folder, until the end of the ``with``.

    Args:
        site: where the wheels are installed.
        redis_url, database: addresses.

    Attributes:
        jobs: the HTTP interface of the service.
        http: that of the shop.
        files: the folder SHOP_FILES.
    """

    def __init__(
        self,
        folder: Path,
        site: Path,
        redis_url: str,
        database: str,
        payments: StripeApi,
        partner: Partner,
        mail_host: MailHost,
    ) -> None:
        self.folder = folder
        self.mail_host = mail_host
        self.engine = create_engine(database)
        self.files, marks = folder / "files", folder / "marks"
        for each in (self.files, marks):
            each.mkdir()
        self._settings = {
            "PYTHONPATH": f"{site}:{HERE}",
            "JOBS_ACTOR_MODULES": "shop.jobs",
            "JOBS_REDIS_URL": redis_url,
            "JOBS_NAMESPACE": f"shop-{secrets.token_hex(4)}",
            "JOBS_SMTP_HOST": "127.0.0.1",
            "JOBS_SMTP_PORT": str(mail_host.port),
            "JOBS_SMTP_TLS": "none",
            "KILLER_MARKS": str(marks),
            "SHOP_DATABASE_URL": database,
            "SHOP_FILES": str(self.files),
            "SHOP_PARTNER_URL": partner.url,
            "STRIPE_API_BASE": payments.url,
            "STRIPE_API_KEY": KEY,
        }

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        with self._stack as starting:
            starting.callback(self._drop_tables)
            assert self.run("python", "-m", "shop.database").wait(30) == 0
            self.jobs = RunningService(self.folder, arguments=("web",), cwd=self.folder, **self._settings)
            starting.callback(self.jobs.close)
            self.http = starting.enter_context(self.web())
            self._worker = self._started_worker()
            starting.callback(self._stop_worker)
            wait_until(self.jobs.is_ready, timeout=20, message="the service's web process is not ready")
            self._stack = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextmanager
    def web(self, **settings: str) -> Iterator[httpx2.Client]:
        """Its web process, and what asks it, until the end of the ``with``."""
        port = str(free_port())
        process = self.run("flask", "--app", "shop.web", "run", "--port", port, **settings)
        try:
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
                wait_until(
                    lambda: answers(http), timeout=20, message="the shop's web process does not answer"
                )
                yield http
        finally:
            process.terminate()
            process.wait(10)

    def run(self, program: str, *arguments: str, **settings: str) -> "subprocess.Popen[bytes]":
        """Start a program as its processes are; what it says is in ``<program>.log``."""
        with (self.folder / f"{program}.log").open("ab") as log:
            return subprocess.Popen(
                [PROGRAMS / program, *arguments],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                env={"PATH": "/usr/bin:/bin", **self._settings, **settings},
            )

    def ended(self, id: str, timeout: float = 40) -> dict[str, Any]:
        """A job once it has ended; a worker that was killed is started again, as an orchestrator does."""

        def restart_or_look() -> bool:
            if self._worker.poll() is not None:
                self._worker = self._started_worker()
            return self.jobs.job(path)["finished_at"] is not None

        path = f"/v1/jobs/{id}"
        wait_until(restart_or_look, timeout, message=f"{id} has not ended")
        return self.jobs.job(path)

    def do(self, actor: str, **args: Any) -> dict[str, Any]:
        """A job of this actor once it has ended."""
        return self.ended(self.jobs.submit(actor, **args).rpartition("/")[2])

    def user(self, name: str, **more: str) -> int:
        """Sign a user up."""
        answer = self.http.post("/users", json={"name": name, "email": f"{name}@example.org", **more})
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def scalar(self, query: str, **values: Any) -> Any:
        """One value of its database."""
        with self.engine.connect() as connection:
            return connection.execute(text(query), values).scalar()

    def execute(self, statement: str, **values: Any) -> None:
        """Change its database."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def mails_to(self, address: str) -> list[str]:
        """The contents of the mails that were sent to somebody."""
        return [str(mail.content) for mail in self.mail_host.taken if address in mail.rcpt_tos]

    def _started_worker(self) -> "subprocess.Popen[bytes]":
        # One thread: what is killed is one job.
        arguments = ("worker_service.actors", "--processes", "1", "--threads", "1")
        return self.run("dramatiq", *arguments, JOBS_ACTOR_MODULES="shop.jobs,killer")

    def _stop_worker(self) -> None:
        self._worker.terminate()
        self._worker.wait(30)

    def _drop_tables(self) -> None:
        with self.engine.begin() as connection:
            for table in ("ledger", "charges", "users", "worker_service_receipts"):
                connection.execute(text(f"DROP TABLE IF EXISTS {table}"))
        self.engine.dispose()


def answers(http: httpx2.Client) -> bool:
    """Whether a web process runs that has no start page."""
    with suppress(httpx2.TransportError):
        return http.get("/").status_code == 404
    return False
