"""The files of docs/own-actors.md run as they stand there, in a folder that has nothing else."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "own-actors.md").read_text()
OTHER_PLUGINS = [word for name in ("cloudcoil", "schemathesis", "valkey") for word in ("-p", f"no:{name}")]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(redis_url: str, namespace: str, tmp_path: Path) -> Run:
    for name, text in re.findall(r"```python\n# (\S+\.py)\n(.*?)```", PAGE, re.DOTALL):
        (tmp_path / name).write_text(text)

    def python(*arguments: str, url: str = redis_url) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**os.environ, "JOBS_REDIS_URL": url, "JOBS_NAMESPACE": namespace},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return python


def test_its_tests_pass(run: Run):
    done = run("-m", "pytest", "-W", "error", *OTHER_PLUGINS)
    assert done.returncode == 0, done.stdout
    assert "12 passed" in done.stdout


def test_message_is_sent_again_while_redis_is_away(run: Run):
    ask = "from sending import send_patiently; send_patiently(2, 0)"
    assert run("-c", ask).returncode == 0
    away = run("-c", ask, url="redis://127.0.0.1:1")
    assert "dramatiq.errors.ConnectionClosed" in away.stderr
