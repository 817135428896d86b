"""What is loaded where: each worker process has a keeper beside it, which has to stay small; and every run of pytest,
ours or another project's, loads the plugin.
"""

import subprocess
import sys


def loaded_with(module: str) -> set[str]:
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_keeper_loads_neither_pydantic_nor_dramatiq_nor_flask():
    assert not {"pydantic", "dramatiq", "flask", "httpx2"} & loaded_with("worker_service.broker.keeper")


def test_pytest_plugin_loads_nothing_that_is_not_used():
    assert not {"pydantic", "dramatiq", "flask", "redis"} & loaded_with("worker_service.testing.plugin")
