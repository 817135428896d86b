"""What is loaded where: each worker process has a keeper beside it, which has to stay small."""

import subprocess
import sys


def test_keeper_loads_neither_pydantic_nor_dramatiq_nor_flask():
    code = "import sys, worker_service.broker.keeper; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"pydantic", "dramatiq", "flask", "httpx2"} & set(loaded.split())
