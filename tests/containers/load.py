"""Programs that POST jobs without end, as any would: what was not answered is sent again under its key."""

import threading
import time
from collections.abc import Sequence

import httpx2

PAUSE_SECONDS = 0.03
AGAIN_SECONDS = 0.2
GIVE_UP_SECONDS = 90.0


class Load:
    """Sends orders one after the other; use it in a ``with``, at whose end it stops.

    Args:
        urls: of web processes: when one does not answer the next one is asked.
        name: begins the name of every order.
        ms: how long each job takes.

    Attributes:
        accepted: ids of the jobs by order.
        refusals: answers that were neither 202 nor 503.
    """

    def __init__(self, urls: Sequence[str], key: str, name: str, ms: int = 100) -> None:
        self.accepted: dict[str, str] = {}
        self.refusals: list[str] = []
        self._clients = [
            httpx2.Client(base_url=url, timeout=10, headers={"Authorization": f"Bearer {key}"})
            for url in urls
        ]
        self._name, self._ms = name, ms
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._send_all)

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._thread.join()
        for client in self._clients:
            client.close()

    def _send_all(self) -> None:
        number = 0
        while not self._stopped.wait(PAUSE_SECONDS):
            self._send(f"{self._name}-{number}")
            number += 1

    def _send(self, order: str) -> None:
        body = {"actor": "charge", "args": {"order": order, "ms": self._ms}}
        give_up_at = time.monotonic() + GIVE_UP_SECONDS
        turn = len(self.accepted)
        while time.monotonic() < give_up_at:
            turn += 1
            client = self._clients[turn % len(self._clients)]
            try:
                answer = client.post("/v1/jobs", json=body, headers={"Idempotency-Key": order})
            except httpx2.TransportError:
                time.sleep(AGAIN_SECONDS)
                continue
            if answer.status_code == 202:
                self.accepted[order] = answer.json()["id"]
                return
            if answer.status_code != 503:
                self.refusals.append(answer.text)
                return
            time.sleep(AGAIN_SECONDS)
        self.refusals.append(f"{order}: nobody took it within {GIVE_UP_SECONDS:.0f} s")
