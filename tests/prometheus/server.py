"""A Prometheus that scrapes one service by the configuration of deploy/prometheus, only faster."""

import re
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import yaml  # type: ignore[import-untyped]

from tests.up.service import free_port
from tests.waiting import wait_until

DEPLOY = Path(__file__).parents[2] / "deploy" / "prometheus"


class Prometheus:
    """The server, until it is closed.

    Args:
        program: where it is.
        folder: for its configuration and data.
        target: host and port of the web process.
        key: what it asks with.
    """

    def __init__(self, program: str, folder: Path, target: str, key: str) -> None:
        (folder / "key").write_text(key)
        (folder / "config.yml").write_text(yaml.safe_dump(_configuration(folder, target)))
        (folder / "alerts.yml").write_text(_at_once((DEPLOY / "alerts.yml").read_text()))
        port = free_port()
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            [
                program,
                f"--config.file={folder}/config.yml",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=self._log,
            stderr=self._log,
        )
        self._http = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=10)
        wait_until(self._is_ready, 30, "Prometheus is not ready")

    def query(self, expr: str) -> list[dict[str, Any]]:
        """The vector that an expression gives now."""
        found: list[dict[str, Any]] = self.get("/api/v1/query", query=expr)["result"]
        return found

    def value(self, expr: str) -> float | None:
        """The one number that an expression gives, if any."""
        found = self.query(expr)
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else None

    def firing(self) -> set[str]:
        """Names of the alerts that fire now."""
        alerts = self.get("/api/v1/alerts")["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def get(self, path: str, **query: str) -> Any:
        """What its own interface answers."""
        answer = self._http.get(path, params=query).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(20)
        self._http.close()
        self._log.close()

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, Path(self._log.name).read_text()
        try:
            return bool(self._http.get("/-/ready").status_code == 200)
        except httpx2.TransportError:
            return False


def _configuration(folder: Path, target: str) -> dict[str, Any]:
    """That of the repository, with another address, another key and short intervals."""
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    # Not shorter: while Redis does not answer, web needs three seconds to say so.
    found["global"] = {"scrape_interval": "4s", "scrape_timeout": "4s", "evaluation_interval": "1s"}
    assert found["rule_files"] == ["alerts.yml"]
    (job,) = found["scrape_configs"]
    job["authorization"]["credentials_file"] = str(folder / "key")
    assert job["static_configs"] == [{"targets": ["web:8000"]}]
    job["static_configs"] = [{"targets": [target]}]
    return found


def _at_once(rules: str) -> str:
    """Rules that do not wait before they fire: how long they do is tested in test_rules."""
    return re.sub(r'"for": "\w+"', '"for": "0s"', rules)
