"""Repairing a damaged append-only file: what stands before the damage is kept."""

from pathlib import Path

import pytest
from redis import Redis

from worker_service.embedded import (
    DataDamaged,
    DataDirInUse,
    EmbeddedServer,
    NotRepairable,
    find_damage,
    repair,
)


@pytest.fixture
def data_dir(server_binary: str | None, tmp_path: Path) -> Path:
    """Of a server that wrote the keys 0 to 999 and was stopped."""
    with (
        EmbeddedServer(tmp_path / "data", binary=server_binary) as server,
        Redis.from_url(server.url) as client,
    ):
        for number in range(1000):
            client.set(str(number), "x" * 50)
    return tmp_path / "data"


def append_only_file(data_dir: Path) -> Path:
    return next(data_dir.glob("appendonlydir/*.incr.aof"))


def damage_middle(file: Path) -> None:
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(200)
    file.write_bytes(content)


def test_repaired_server_starts_with_what_was_written_before_the_damage(
    server_binary: str | None, data_dir: Path
):
    file = append_only_file(data_dir)
    damage_middle(file)
    before = file.read_bytes()
    with pytest.raises(DataDamaged):
        EmbeddedServer(data_dir, binary=server_binary).start()

    damage = find_damage(data_dir, server_binary)
    assert damage is not None
    assert damage.file == file
    assert damage.sound <= len(before) // 2 < damage.size == len(before)
    copy = repair(data_dir, damage, server_binary)

    assert (copy / file.name).read_bytes() == before
    assert find_damage(data_dir, server_binary) is None
    with EmbeddedServer(data_dir, binary=server_binary) as server, Redis.from_url(server.url) as client:
        kept = sorted(int(key) for key in client.scan_iter())
    assert kept == list(range(len(kept)))
    assert 400 < len(kept) < 600


def test_sound_files_show_no_damage(server_binary: str | None, data_dir: Path):
    assert find_damage(data_dir, server_binary) is None


def test_empty_file_is_no_damage(server_binary: str | None, tmp_path: Path):
    with EmbeddedServer(tmp_path, binary=server_binary):
        pass
    assert find_damage(tmp_path, server_binary) is None


def test_single_file_of_an_older_server_is_repaired_too(server_binary: str | None, data_dir: Path):
    single = data_dir / "appendonly.aof"
    append_only_file(data_dir).rename(single)
    for left in (data_dir / "appendonlydir").iterdir():
        left.unlink()
    damage_middle(single)
    damage = find_damage(data_dir, server_binary)
    assert damage is not None
    copy = repair(data_dir, damage, server_binary)
    assert (copy / single.name).stat().st_size == damage.size
    assert single.stat().st_size == damage.sound


def test_damage_that_a_later_file_builds_on_is_not_cut_off(server_binary: str | None, data_dir: Path):
    file = append_only_file(data_dir)
    later = file.with_name("appendonly.aof.2.incr.aof")
    later.write_bytes(file.read_bytes())
    manifest = file.parent / "appendonly.aof.manifest"
    manifest.write_text(manifest.read_text() + f"file {later.name} seq 2 type i\n")
    damage_middle(file)
    with pytest.raises(NotRepairable, match=r"later files build on it.*mv '"):
        find_damage(data_dir, server_binary)


def test_files_of_a_running_server_are_left_alone(server_binary: str | None, data_dir: Path):
    with EmbeddedServer(data_dir, binary=server_binary), pytest.raises(DataDirInUse):
        find_damage(data_dir, server_binary)


def test_missing_files_are_named(server_binary: str | None, tmp_path: Path):
    with pytest.raises(NotRepairable, match="no data directory"):
        find_damage(tmp_path / "none", server_binary)
    with pytest.raises(NotRepairable, match="no append-only file"):
        find_damage(tmp_path, server_binary)
