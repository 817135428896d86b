"""One frozen settings object, read from the environment (prefix ``JOBS_``) and checked whole at the start."""

import ipaddress
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_DAY_MS = 24 * 3600 * 1000

USUAL_REDIS_URL = "redis://127.0.0.1:6379/0"


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

    model_config = SettingsConfigDict(env_prefix="JOBS_", frozen=True, populate_by_name=True)

    data_dir: Path = Field(default=Path(".data"), description="Files of the embedded server and of actors.")
    redis_url: str = Field(
        default_factory=_running_or_usual,
        validation_alias=AliasChoices("JOBS_REDIS_URL", "REDIS_URL", "redis_url"),
        description="Redis or Valkey server: redis://, rediss:// or unix://. "
        "By default the one that `worker-service up` embeds while it runs in this folder.",
    )
    namespace: str = Field(
        default="jobs",
        pattern=r"^[a-z0-9-]{1,32}$",
        description="Prefix of all keys; separates services on one server.",
    )
    http_host: str = Field(default="127.0.0.1", description="Address the web process listens on.")
    http_port: int = Field(default=8000, ge=1, le=65535, description="Port the web process listens on.")
    actor_modules: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Comma-separated modules with your own actors."
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

    @field_validator("redis_url")
    @classmethod
    def _check_scheme(cls, value: str) -> str:
        if not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError(f"{value!r} begins with none of redis://, rediss:// and unix://")
        return value

    @field_validator("actor_modules", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @property
    def retention(self) -> dict[str, tuple[int, int]]:
        """Final state -> (milliseconds, number of jobs) kept."""
        short, long = (_DAY_MS, 100_000), (30 * _DAY_MS, 10_000)
        return {"succeeded": short, "cancelled": short, "expired": short, "dead": long}


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
