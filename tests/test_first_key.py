"""The key to begin with: made once, whole, and fit to be the admin key."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from worker_service.cli import main
from worker_service.first_key import first_key
from worker_service.settings import Settings, settings


def test_it_is_made_once_and_told_once(tmp_path: Path):
    file = tmp_path / "admin-key"
    first = CliRunner().invoke(main, ["first-key", str(file)])
    again = CliRunner().invoke(main, ["first-key", str(file)])
    assert (first.exit_code, again.exit_code, again.output) == (0, 0, "")
    assert first.output.endswith(f"{file.read_text().strip()}\n")
    assert file.stat().st_mode & 0o777 == 0o440
    assert list(tmp_path.iterdir()) == [file]


def test_of_many_at_once_one_makes_it(tmp_path: Path):
    file = tmp_path / "admin-key"
    with ThreadPoolExecutor(16) as pool:
        made = [key for key in pool.map(lambda _: first_key(file), range(64)) if key]
    assert made == [file.read_text().strip()]


def test_web_takes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "admin-key"
    key = first_key(file)
    monkeypatch.setenv("JOBS_ADMIN_KEY_FILE", str(file))
    settings.cache_clear()
    given: Settings = settings()
    settings.cache_clear()
    assert given.admin_key is not None
    assert given.admin_key.get_secret_value() == key


def test_folder_that_is_not_there_is_told(tmp_path: Path):
    done = CliRunner().invoke(main, ["first-key", str(tmp_path / "none" / "admin-key")])
    assert done.exit_code == 1
    assert "none" in done.output
