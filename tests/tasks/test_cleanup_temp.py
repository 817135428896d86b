"""Old temporary files go, and nothing else."""

import os
import time
from pathlib import Path

import pytest

from worker_service.tasks import cleanup_temp as module
from worker_service.tasks.cleanup_temp import cleanup_temp

DAY = 24 * 3600
NOTHING = {"removed": 0, "bytes": 0, "failed": 0}


def a_file(path: Path, *, days_old: float = 2, content: bytes = b"12345") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    at = time.time() - days_old * DAY
    os.utime(path, (at, at))
    return path


def test_old_ones_go_and_new_ones_and_others_stay(tmp_path: Path):
    gone = [
        a_file(tmp_path / "tmp" / "a"),
        a_file(tmp_path / "tmp" / "deep" / "b"),
        a_file(tmp_path / "images" / ".c.jpg.0a1b2c3d"),
    ]
    kept = [
        a_file(tmp_path / "tmp" / "new", days_old=0.5),
        a_file(tmp_path / "images" / "c.jpg"),
        a_file(tmp_path / ".hidden"),
        a_file(tmp_path / "images" / "tmp"),
    ]
    assert cleanup_temp(tmp_path, 24) == {"removed": 3, "bytes": 15, "failed": 0}
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in kept)
    assert cleanup_temp(tmp_path, 24) == NOTHING


def test_links_are_removed_and_not_followed(tmp_path: Path):
    outside = a_file(tmp_path / "outside" / "a")
    files = tmp_path / "files"
    (files / "tmp").mkdir(parents=True)
    (files / "tmp" / "folder").symlink_to(outside.parent)
    (files / "tmp" / "link").symlink_to(outside)
    os.utime(files / "tmp" / "link", (0, 0), follow_symlinks=False)
    assert cleanup_temp(files, 24)["removed"] == 1
    assert outside.exists()


def test_one_run_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_REMOVED", 2)
    for number in range(5):
        a_file(tmp_path / "tmp" / str(number))
    assert [cleanup_temp(tmp_path, 24)["removed"] for _ in range(4)] == [2, 2, 1, 0]


def test_folder_that_is_not_there_is_clean(tmp_path: Path):
    assert cleanup_temp(tmp_path / "nothing", 24) == NOTHING


def test_pages_that_nobody_fetched_for_a_month_are_forgotten(tmp_path: Path):
    old = a_file(tmp_path / "fetched" / "a.json", days_old=31)
    used = a_file(tmp_path / "fetched" / "b.json", days_old=29)
    assert cleanup_temp(tmp_path, 24)["removed"] == 1
    assert (old.exists(), used.exists()) == (False, True)


def test_old_empty_folders_go_and_those_in_use_stay(tmp_path: Path):
    for name in ("old/deep", "new"):
        (tmp_path / "tmp" / name).mkdir(parents=True)
    a_file(tmp_path / "tmp" / "full" / "a", days_old=0)
    for folder in ("old/deep", "full"):
        os.utime(tmp_path / "tmp" / folder, (0, 0))
    assert cleanup_temp(tmp_path, 24)["removed"] == 1
    assert sorted(path.name for path in (tmp_path / "tmp").iterdir()) == ["full", "new", "old"]
    os.utime(tmp_path / "tmp" / "old", (0, 0))
    cleanup_temp(tmp_path, 24)
    assert sorted(path.name for path in (tmp_path / "tmp").iterdir()) == ["full", "new"]


def test_file_that_cannot_be_removed_keeps_none_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    unlink = Path.unlink

    def refuse_one(path: Path, **more: bool) -> None:
        if path.name == "a":
            raise PermissionError("not yours")
        unlink(path, **more)

    monkeypatch.setattr(Path, "unlink", refuse_one)
    for name in "abc":
        a_file(tmp_path / "tmp" / name)
    assert cleanup_temp(tmp_path, 24) == {"removed": 2, "bytes": 10, "failed": 1}
