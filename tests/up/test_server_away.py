"""A web process whose server does not answer: its log says so, and what to do."""

from pathlib import Path

import httpx2

from tests.up.service import RunningService, free_port
from tests.waiting import wait_until


def test_web_starts_and_says_that_the_server_cannot_be_reached(tmp_path: Path):
    port = free_port()
    running = RunningService(
        tmp_path, arguments=("web",), JOBS_REDIS_URL=f"redis://127.0.0.1:{port}/0", JOBS_ACTOR_MODULES=""
    )
    try:
        wait_until(lambda: "Listening at" in running.output(), timeout=20)
        assert f"Error: The server at 127.0.0.1:{port} cannot be reached" in running.output()
        assert "correct JOBS_REDIS_URL" in running.output()
        wait_until(lambda: _is_listening(running), timeout=20)
        assert running.http.get("/readyz").status_code == 503
    finally:
        running.close()


def _is_listening(running: RunningService) -> bool:
    try:
        return bool(running.http.get("/livez").status_code == 200)
    except httpx2.TransportError:
        return False
