"""What processes log: lines of JSON for programs, or lines for people; the same fields in both.

Everything goes by the logging of Python, so foreign loggers come out alike, and an actor may use that or structlog.
Fields are added when a line is made, not when a job begins: what is not logged costs nothing.

``JOBS_LOG_FORMAT`` and ``JOBS_LOG_LEVEL`` are read here and not from `Settings`, because some processes log before they
have any; settings checks and documents them.
"""

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter

from .log_writing import GatheringHandler

Fields = Callable[[], Mapping[str, Any]]
"""What the line that is being made is about."""

Line = MutableMapping[str, Any]

FORMAT, LEVEL = "JOBS_LOG_FORMAT", "JOBS_LOG_LEVEL"
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_QUIET = {"apscheduler": logging.WARNING, "httpx": logging.WARNING, "httpcore": logging.WARNING}
"""Loggers that tell of their own workings at INFO."""


def configure_logs(fields: Fields = dict, stream: TextIO | None = None) -> None:
    """Log so from now on, in place of what was set up before.

    Args:
        fields: of each line.
        stream: where to; by default stderr as it is now.
    """
    stream = stream or sys.stderr
    root = logging.getLogger()
    is_verbose = root.level == logging.DEBUG  # the -v of the dramatiq command
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    handler = GatheringHandler(stream)
    handler.setFormatter(formatter(stream, fields))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if is_verbose else log_level())
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)
    logging.raiseExceptions = False  # a log that cannot be written is no job's affair
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            *_common(fields),
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def formatter(stream: TextIO | None = None, fields: Fields = dict) -> logging.Formatter:
    """Makes lines of records, also of those that were not made by structlog."""
    stream = stream or sys.stderr
    return ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            *_common(fields),
            structlog.stdlib.ExtraAdder(),
        ],
        processors=[
            _exception,
            ProcessorFormatter.remove_processors_meta,
            *(_for_programs() if is_json(stream) else _for_people(stream)),
        ],
    )


def is_json(stream: TextIO | None = None) -> bool:
    """Whether lines are for programs: as JOBS_LOG_FORMAT says, else where no terminal shows them."""
    chosen = os.environ.get(FORMAT, "auto").lower()
    return chosen == "json" or (chosen != "console" and not _is_terminal(stream or sys.stderr))


def log_level() -> int:
    """From which level on something is logged; INFO where JOBS_LOG_LEVEL names none."""
    return LEVELS.get(os.environ.get(LEVEL, "info").lower(), logging.INFO)


def _for_programs() -> list[Any]:
    return [_add_pid, structlog.processors.JSONRenderer(serializer=_to_json)]


def _for_people(stream: TextIO) -> list[Any]:
    colours = (_is_terminal(stream) or "FORCE_COLOR" in os.environ) and "NO_COLOR" not in os.environ
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain, pad_event_to=0)]


def _common(fields: Fields) -> list[Any]:
    def add_fields(_logger: Any, _method: str, line: Line) -> Line:
        for name, value in fields().items():
            line.setdefault(name, value)
        return line

    return [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_fields,
    ]


def _add_pid(_logger: Any, _method: str, line: Line) -> Line:
    line["pid"] = os.getpid()
    return line


def _exception(_logger: Any, _method: str, line: Line) -> Line:
    """The traceback as text. That of a record whose secrets were taken out is made already, and has no exception."""
    record: logging.LogRecord | None = line.get("_record")
    if record is not None and record.exc_text and not line.get("exc_info"):
        line.pop("exc_info", None)
        line["exception"] = record.exc_text
        return line
    formatted: Line = structlog.processors.format_exc_info(_logger, _method, line)
    return formatted


def for_parts(stream: TextIO, *, auto: str = "json") -> dict[str, str]:
    """Settings of processes whose lines are shown on a stream that they do not have themselves.

    Args:
        auto: the format where none is chosen and no terminal shows them.
    """
    chosen = os.environ.get(FORMAT, "auto").lower()
    if chosen != "auto":
        return {}
    if not _is_terminal(stream):
        return {FORMAT: auto}
    return {FORMAT: "console"} if "NO_COLOR" in os.environ else {FORMAT: "console", "FORCE_COLOR": "1"}


def _is_terminal(stream: TextIO) -> bool:
    try:
        return os.isatty(stream.fileno())
    except (AttributeError, OSError, ValueError):  # Dramatiq's pipe to its main process, which has our stderr
        return os.isatty(2)


def _to_json(line: Any, **_: Any) -> str:
    return json.dumps(line, default=repr, ensure_ascii=False, separators=(",", ":"))
