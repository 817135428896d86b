"""The log of a keeper: the lines of `logs` without what makes those, which would be half of the memory of a keeper."""

import json
import logging
import sys
from datetime import UTC, datetime


class LinesOfJson(logging.Formatter):
    """A line of JSON for each record."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")[:-6]
            + "Z",
            "pid": record.process,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, separators=(",", ":"))


def log_as_keeper(*, as_json: bool, level: int) -> None:
    """Log to stderr from now on."""
    handler = logging.StreamHandler(sys.stderr)
    plain = logging.Formatter("%(asctime)s [%(levelname)s] %(message)s [%(name)s] pid=%(process)d")
    handler.setFormatter(LinesOfJson() if as_json else plain)
    logging.basicConfig(level=level, handlers=[handler])
    logging.raiseExceptions = False
