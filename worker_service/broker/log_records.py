"""Keeps sensitive arguments out of the log of a worker, also where an actor's own code, or an exception, names them."""

import logging
import traceback
from typing import Any

from ..jobs.masking import scrubbed
from .proxy import CURRENT


def scrub_log_records() -> None:
    """From now on records made while a job runs are without the values of its sensitive arguments."""
    made = logging.getLogRecordFactory()
    if isinstance(made, _Scrubbing):
        return
    logging.setLogRecordFactory(_Scrubbing(made))


class _Scrubbing:
    """A factory of records around another one."""

    def __init__(self, made: Any) -> None:
        self._made = made

    def __call__(self, *args: Any, **fields: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._made(*args, **fields)
        job = CURRENT.get()
        if job is not None and job.secrets:
            _scrub(record, job.secrets)
        return record


def _scrub(record: logging.LogRecord, secrets: tuple[str, ...]) -> None:
    try:
        record.msg, record.args = scrubbed(record.getMessage(), secrets), ()
    except (TypeError, ValueError):
        record.args = scrubbed(
            [repr(each) for each in record.args or ()], secrets
        )  # whoever prints it says so
    if record.exc_info and record.exc_info[0] is not None:
        lines = traceback.format_exception(*record.exc_info)
        record.exc_text = scrubbed("".join(lines), secrets).rstrip("\n")
        record.exc_info = None  # its frames hold the values
    if record.stack_info:
        record.stack_info = scrubbed(record.stack_info, secrets)
