"""One frozen settings object, read from the environment (prefix ``JOBS_``) and checked whole at the start."""

import base64
import ipaddress
import logging
import os
import re
import zoneinfo
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from .names import did_you_mean
from .server_url import check_server_url

PREFIX = "JOBS_"
_SERVICE_LINK = re.compile(r"_SERVICE_(HOST|PORT)|_PORT_\d+_(TCP|UDP|SCTP)")
_QUEUE = re.compile(r"[a-zA-Z_][a-zA-Z0-9._-]*")  # what Dramatiq takes for a queue's name
_DAY_MS = 24 * 3600 * 1000

USUAL_REDIS_URL = "redis://127.0.0.1:6379/0"

SECRETS = ("redis_url", "admin_key", "webhook_secrets", "smtp_password", "sentry_dsn")
"""Each may stand in a file: ``JOBS_ADMIN_KEY_FILE`` names it."""

MAKE_KEY = "python3 -c 'import secrets; print(secrets.token_hex(32))'"


MAKE_SECRET = "python3 -c 'import base64, os; print(\"whsec_\" + base64.b64encode(os.urandom(32)).decode())'"


class WrongSettings(Exception):
    """Raised when the environment has a wrong, an unknown or an unreadable setting; names each."""


def embedded_url_file(data_dir: Path) -> Path:
    """Where the address of a running embedded server stands."""
    return data_dir / "redis-url"


def _running_or_usual(values: dict[str, Any]) -> str:
    try:
        return embedded_url_file(values["data_dir"]).read_text()
    except OSError:
        return USUAL_REDIS_URL


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach a host of this name."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Settings(BaseSettings):
    """Everything that can be set, with its default."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, populate_by_name=True)

    data_dir: Path = Field(default=Path(".data"), description="Files of the embedded server and of actors.")
    redis_url: str = Field(
        default_factory=_running_or_usual,
        validation_alias=AliasChoices("JOBS_REDIS_URL", "REDIS_URL", "redis_url"),
        description="Redis or Valkey server: redis://, rediss:// or unix://, or redis+sentinel://. "
        "By default the one that `worker-service up` embeds while it runs in this folder.",
    )
    namespace: str = Field(
        default="jobs", description="Prefix of all keys; separates services on one server."
    )
    environment: str | None = Field(
        default=None,
        max_length=40,
        description="What the dashboard calls this installation on every page and in titles, such as `production`.",
    )
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto",
        description="Lines of the log; auto: for people where a terminal shows them, else JSON.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="From which level on something is logged; see docs/logs.md."
    )
    http_host: str = Field(default="127.0.0.1", description="Address the web process listens on.")
    http_port: int = Field(default=8000, ge=1, le=65535, description="Port the web process listens on.")
    http_threads: int = Field(
        default=512,
        ge=16,
        le=4096,
        description="Requests the web process works on at the same time; half of them may wait or stream. "
        "Under another WSGI server: the number of its threads.",
    )
    admin_key: SecretStr | None = Field(
        default=None,
        description="The first key, which may do everything; with one, other addresses than loopback are allowed.",
    )
    trusted_proxies: Annotated[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...], NoDecode] = Field(
        default=(),
        description="Comma-separated networks of reverse proxies, whose `X-Forwarded-For`, `-Proto`, `-Host` and "
        "`-Prefix` are believed.",
    )
    http_prefix: str | None = Field(
        default=None, description="Path below which a reverse proxy serves all, such as `/jobs`."
    )
    actor_modules: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Comma-separated modules with your own actors."
    )
    routes: Annotated[dict[str, str], NoDecode] = Field(
        default={},
        description="Queues of actors in place of the declared ones, as in `add=math,send_email=mail`; "
        "the same for all processes.",
    )
    require_idempotency_key: bool = Field(
        default=False, description="Whether a POST of a job without an `Idempotency-Key` is refused."
    )
    idempotency_ms: int = Field(
        default=_DAY_MS,
        ge=1000,
        le=30 * _DAY_MS,
        description="How long an `Idempotency-Key` is remembered; at most 30 days.",
    )
    prefetch: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="Jobs a worker process fetches beyond its idle threads; for tiny jobs.",
    )
    lease_ms: int = Field(
        default=15_000,
        ge=300,
        description="How long a silent worker process keeps its jobs; "
        "extended every third, rescued every fifth of it.",
    )
    shutdown_grace_ms: int = Field(
        default=50_000,
        ge=0,
        description="How long running jobs may take to end after SIGTERM; "
        "then they are interrupted and given back, and the process ends within 5 s.",
    )
    worker_max_jobs: int | None = Field(
        default=None,
        ge=1,
        description="Jobs after which a worker process ends in order, to be started anew: one at a time of a "
        "`worker-service worker`, each up to a tenth earlier.",
    )
    worker_max_memory_mb: int | None = Field(
        default=None, ge=1, description="Resident MiB after which it does."
    )
    worker_max_age_ms: int | None = Field(default=None, ge=1000, description="Age after which it does.")
    timezone: str = Field(default="UTC", description="Whose clocks schedules go by that name no time zone.")
    code_version: int | None = Field(
        default=None,
        ge=0,
        le=10**15,  # what Lua keeps exactly, with room
        description="Number that grows with each version of the actors, a build number for example; of two schedulers "
        "the one with the larger one leads, and says what is declared. By default the newest change of a file of their "
        "packages.",
    )
    outbound_allow: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        default=(),
        description="Comma-separated addresses and networks that jobs may reach although they are not public, as in "
        "`10.1.0.0/16,127.0.0.1`. By default none, loopback neither.",
    )
    webhook_secrets: SecretStr | None = Field(
        default=None,
        description="Comma-separated secrets (`whsec_...`) that sign webhooks, the newest first; each signs. "
        "Without one a job with a webhook is refused.",
    )
    canary: bool = Field(
        default=False,
        description="Whether schedulers send a job each minute that does nothing: its age tells whether all works.",
    )
    smtp_host: str | None = Field(
        default=None,
        description="Mail server of `send_email`. Without one `worker-service up` writes mails to `.data/mail/`.",
    )
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Port of the mail server.")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="Encryption to the mail server: `starttls`, `tls` (port 465) or `none`.",
    )
    smtp_username: str | None = Field(default=None, description="Login at the mail server.")
    smtp_password: SecretStr | None = Field(default=None, description="Password at the mail server.")
    smtp_from: str = Field(default="worker-service@localhost", description="Sender of the mails.")
    mail_templates: Path | None = Field(
        default=None, description="Directory of the Jinja templates of `send_email`; see docs/actors.md."
    )
    report_to: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Comma-separated addresses that get the report of each day by mail."
    )
    sentry_dsn: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("JOBS_SENTRY_DSN", "SENTRY_DSN", "sentry_dsn"),
        description="Where errors are reported: of jobs that failed for good, and what is logged as one. "
        "Needs the extra `sentry`.",
    )
    sentry_every_attempt: bool = Field(
        default=False, description="Whether Sentry is told of attempts that are followed by another one, too."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The arguments of a call, then the environment, then the files that it names."""
        return init_settings, env_settings, _FileSource(settings_cls)

    @field_validator("timezone")
    @classmethod
    def _check_zone(cls, value: str) -> str:
        if value == "UTC":
            return value
        known = zoneinfo.available_timezones()  # reads a folder, for some 10 ms
        if value not in known:
            raise ValueError(f"there is no such time zone.{did_you_mean(value, known)}")
        return value

    @field_validator("redis_url")
    @classmethod
    def _check_server_url(cls, value: str) -> str:
        check_server_url(value)  # whose errors do not show it, as it may hold a password
        return value

    @field_validator("namespace")
    @classmethod
    def _check_namespace(cls, value: str) -> str:
        if not (1 <= len(value) <= 32 and set(value) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")):
            raise ValueError(f"{value!r}: use 1 to 32 of a-z, 0-9 and '-'")
        return value

    @field_validator("admin_key")
    @classmethod
    def _check_key(cls, value: SecretStr | None) -> SecretStr | None:
        """A header has to carry it, and guessing it has to be hopeless."""
        key = None if value is None else value.get_secret_value()
        if key is not None and len(key) < 16:
            raise ValueError(f"the key is shorter than 16 characters. To make one: {MAKE_KEY}")
        if key is not None and not (key.isascii() and key.isprintable() and " " not in key):
            raise ValueError(f"use visible ASCII characters only, without spaces. To make a key: {MAKE_KEY}")
        return value

    @field_validator("http_prefix")
    @classmethod
    def _check_prefix(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", value):
            raise ValueError(f"{value!r}: write it as in '/jobs', without a slash at its end")
        return value

    @field_validator("actor_modules", "report_to", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(_parts(value)) if isinstance(value, str) else value

    @field_validator("report_to")
    @classmethod
    def _check_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            if "@" not in address:
                raise ValueError(f"{address!r} is no mail address")
        return value

    @field_validator("outbound_allow", mode="before")
    @classmethod
    def _read_networks(cls, value: object) -> object:
        return tuple(map(ipaddress.ip_network, _parts(value))) if isinstance(value, str) else value

    @field_validator("routes", mode="before")
    @classmethod
    def _pair(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [part.partition("=") for part in _parts(value)]
        routes = {actor.strip(): queue.strip() for actor, _, queue in pairs}
        if not all(actor and _QUEUE.fullmatch(queue) for actor, queue in routes.items()):
            raise ValueError(f"{value!r}: write actor=queue, with commas between pairs")
        return routes

    @field_validator("webhook_secrets")
    @classmethod
    def _check_secrets(cls, value: SecretStr | None) -> SecretStr | None:
        for secret in _parts(value.get_secret_value() if value else ""):
            _signing_key(secret)
        return value

    @property
    def webhook_keys(self) -> tuple[bytes, ...]:
        """What signs webhooks, the newest first."""
        given = self.webhook_secrets.get_secret_value() if self.webhook_secrets else ""
        return tuple(map(_signing_key, _parts(given)))

    @property
    def most_waiting(self) -> int:
        """How many requests may wait or stream at once; the other threads answer."""
        return self.http_threads // 2

    @property
    def retention(self) -> dict[str, tuple[int, int]]:
        """Final state -> (milliseconds, number of jobs) kept."""
        short, long = (_DAY_MS, 100_000), (30 * _DAY_MS, 10_000)
        return {"succeeded": short, "cancelled": short, "expired": short, "dead": long}


class _FileSource(PydanticBaseSettingsSource):
    """Secrets from the files that ``JOBS_..._FILE`` name."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Nothing field by field: all at once, see below."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {}
        for name in SECRETS:
            variable = f"{_variable(name)}_FILE"
            if path := os.environ.get(variable):
                try:
                    found[name] = Path(path).read_text().strip()
                except (OSError, UnicodeDecodeError) as error:
                    raise WrongSettings(f"{variable}: {error}") from None
        return found


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process.

    Raises:
        WrongSettings: names each setting that is wrong, and the nearest right name of an unknown one.
    """
    _refuse_unknown(os.environ)
    try:
        return Settings()
    except ValidationError as error:
        wrong = [f"{_variable(str(each['loc'][0]))}: {_message(each['msg'])}" for each in error.errors()]
        raise WrongSettings("\n".join(wrong)) from None


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = {_variable(name) for name in Settings.model_fields}
    known |= {f"{_variable(name)}_FILE" for name in SECRETS}
    unknown = {name for name in environment if name.startswith(PREFIX)} - known
    links = {name for name in unknown if _is_service_link(name, environment[name])}
    if links:
        logging.getLogger(__name__).warning(
            "Ignored, as Kubernetes injects them: %s", ", ".join(sorted(links))
        )
    wrong = [f"No setting {name}.{did_you_mean(name, known)}" for name in sorted(unknown - links)]
    wrong += [
        f"{_variable(name)} and {_variable(name)}_FILE are both set: keep one."
        for name in SECRETS
        if _variable(name) in environment and f"{_variable(name)}_FILE" in environment
    ]
    if wrong:
        raise WrongSettings("\n".join(wrong))


def _is_service_link(name: str, value: str) -> bool:
    """Kubernetes tells containers about services called ``jobs-...`` in names like ours."""
    return bool(_SERVICE_LINK.search(name)) or value.startswith(("tcp://", "udp://"))


def _variable(field: str) -> str:
    return field if field.startswith(PREFIX) else f"{PREFIX}{field.upper()}"


def _message(text: str) -> str:
    return text.removeprefix("Value error, ")


def _signing_key(secret: str) -> bytes:
    """What a secret of Standard Webhooks stands for; the error does not repeat it."""
    prefix = "whsec_"
    try:
        key = base64.b64decode(secret.removeprefix(prefix), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith(prefix) or not 24 <= len(key) <= 64:
        raise ValueError(f"a secret is {prefix} and 24 to 64 bytes in base64. To make one: {MAKE_SECRET}")
    return key


def _parts(text: str) -> Iterable[str]:
    return filter(None, (part.strip() for part in text.split(",")))
