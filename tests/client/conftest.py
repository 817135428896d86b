"""A service over HTTP, with a worker, inside the test process."""

import threading
import time
from collections.abc import Iterator

import dramatiq
import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from worker_service import PermanentError, current_job
from worker_service.broker import bulk
from worker_service.broker.broker import JobBroker
from worker_service.client import Client
from worker_service.middleware import default_middleware
from worker_service.settings import Settings
from worker_service.web import create_app


def add(x: int, y: int = 1) -> int:
    """The sum."""
    return x + y


def fail(why: str) -> None:
    """Ends dead."""
    raise PermanentError(why)


def slow(seconds: float) -> str:
    """Says how far it is."""
    job = current_job()
    job.log("begun")
    job.progress(50, "half")
    time.sleep(seconds)
    return "done"


def chatty(lines: int) -> None:
    """Logs."""
    for number in range(lines):
        current_job().log(f"line {number}")
        time.sleep(0.02)


class _Silent(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def broker(redis_url: str, namespace: str) -> Iterator[JobBroker]:
    """A broker whose jobs are run."""
    made = JobBroker(Settings(redis_url=redis_url, namespace=namespace), default_middleware())
    for fn in (add, chatty, fail, slow):
        dramatiq.actor(broker=made)(fn)
    bulk.declare(made)
    worker = dramatiq.Worker(made, worker_threads=4, worker_timeout=20)
    worker.start()
    yield made
    worker.stop()
    made.close()


@pytest.fixture
def port(broker: JobBroker, redis_url: str, namespace: str) -> Iterator[int]:
    """Where the service listens."""
    app = create_app(broker, Settings(redis_url=redis_url, namespace=namespace))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(port: int) -> Iterator[Client]:
    """Asks the service."""
    with Client(f"http://127.0.0.1:{port}") as made:
        yield made
