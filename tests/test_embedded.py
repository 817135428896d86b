"""The embedded server: finding a binary, starting, stopping, crashing, and not outliving its owner."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.waiting import wait_until
from worker_service.embedded import (
    DataDamaged,
    DataDirInUse,
    EmbeddedServer,
    EmbeddedServerError,
    ServerNotFound,
    ServerStartFailed,
    find_server,
)
from worker_service.embedded import binary as binaries
from worker_service.embedded import server as servers


@pytest.fixture
def own_server(server_binary: str | None) -> Iterator[EmbeddedServer]:
    """A server this test may stop and kill."""
    with EmbeddedServer(binary=server_binary) as running:
        yield running


@pytest.fixture
def fake_binary(tmp_path: Path) -> Callable[[str, str], Path]:
    """Makes an executable that only prints a version."""

    def make(name: str, version: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        binary = folder / name
        binary.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=00000000:0 bits=64'\n")
        binary.chmod(0o755)
        return binary

    return make


@pytest.fixture
def nothing_bundled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "bundled_server", lambda: None)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def value_of(server: EmbeddedServer, key: str) -> bytes | None:
    with Redis.from_url(server.url) as client:
        value = client.get(key)
    assert value is None or isinstance(value, bytes)
    return value


def write(server: EmbeddedServer, key: str, value: str) -> None:
    with Redis.from_url(server.url) as client:
        client.set(key, value)


class TestRunning:
    def test_started_server_answers_at_its_url(self, server: EmbeddedServer):
        with Redis.from_url(server.url) as client:
            assert client.info("server")["process_id"] == server.pid

    def test_default_configuration_keeps_every_job(self, server: EmbeddedServer):
        with Redis.from_url(server.url) as client:
            config = client.config_get("appendonly", "appendfsync", "maxmemory", "maxmemory-policy", "port")
        assert config == {
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory": str(256 * 1024 * 1024),
            "maxmemory-policy": "noeviction",
            "port": "0",
        }

    def test_extra_configuration_wins(self, server_binary: str | None):
        with (
            EmbeddedServer(binary=server_binary, extra={"hz": "50", "maxmemory": "64mb"}) as server,
            Redis.from_url(server.url) as client,
        ):
            assert client.config_get("hz", "maxmemory") == {"hz": "50", "maxmemory": str(64 * 1024 * 1024)}

    def test_socket_is_for_its_user_alone_and_short(self, server: EmbeddedServer):
        path = Path(server.url.removeprefix("unix://").removesuffix("?db=0"))
        assert path.stat().st_mode & 0o077 == 0
        assert path.parent.stat().st_mode & 0o077 == 0
        assert len(str(path)) < 100

    def test_long_temporary_directory_does_not_make_the_socket_path_too_long(
        self, server_binary: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / ("long" * 30)))
        with EmbeddedServer(binary=server_binary) as server:
            assert len(server.url) < 100

    def test_port_zero_takes_a_free_loopback_port_and_keeps_it(self, server_binary: str | None):
        with EmbeddedServer(binary=server_binary, port=0) as server:
            url = server.url
            assert url.startswith("redis://127.0.0.1:")
            write(server, "key", "kept")
            server.kill()
            server.start()
            assert server.url == url
            assert value_of(server, "key") == b"kept"

    def test_start_of_a_running_server_does_nothing(self, own_server: EmbeddedServer):
        pid = own_server.pid
        own_server.start()
        assert own_server.pid == pid

    def test_address_before_the_first_start_is_refused_with_a_reason(self):
        with pytest.raises(EmbeddedServerError, match="no address before its first start"):
            _ = EmbeddedServer().url


class TestEnding:
    def test_stop_ends_the_process_and_removes_temporary_data(self, own_server: EmbeddedServer):
        pid, data_dir = own_server.pid, own_server.data_dir
        assert pid is not None
        own_server.stop()
        assert own_server.pid is None
        assert not is_alive(pid)
        assert not data_dir.parent.exists()

    def test_stop_twice_is_fine(self, own_server: EmbeddedServer):
        own_server.stop()
        own_server.stop()

    def test_killed_server_keeps_data_and_address_when_started_again(self, own_server: EmbeddedServer):
        write(own_server, "key", "kept")
        url, pid = own_server.url, own_server.pid
        own_server.kill()
        assert own_server.pid is None
        own_server.start()
        assert own_server.pid != pid
        assert own_server.url == url
        assert value_of(own_server, "key") == b"kept"

    def test_server_that_died_by_itself_can_be_started_again(self, own_server: EmbeddedServer):
        assert own_server.pid is not None
        os.kill(own_server.pid, signal.SIGKILL)
        wait_until(lambda: own_server.pid is None, message="the server still runs")
        own_server.start()
        assert own_server.pid is not None

    def test_stopped_server_keeps_data_in_a_named_directory(self, server_binary: str | None, tmp_path: Path):
        data_dir = tmp_path / "data"
        with EmbeddedServer(data_dir, binary=server_binary) as server:
            write(server, "key", "kept")
        with EmbeddedServer(data_dir, binary=server_binary) as server:
            assert value_of(server, "key") == b"kept"

    def test_server_stops_when_its_owner_is_killed(self, server_binary: str | None):
        owner_code = (
            "import sys; from worker_service.embedded import EmbeddedServer\n"
            f"server = EmbeddedServer(binary={server_binary!r}); server.start()\n"
            "print(server.pid, server.data_dir.parent, flush=True); sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", owner_code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as owner:
            assert owner.stdout is not None
            pid, runtime_dir = owner.stdout.readline().split()
            assert is_alive(int(pid))
            owner.kill()
            wait_until(lambda: not is_alive(int(pid)), message="the server outlived its owner")
        subprocess.run(["rm", "-r", runtime_dir], check=True)


class TestTrouble:
    def test_data_directory_in_use_is_refused_and_left_alone(self, server_binary: str | None, tmp_path: Path):
        with EmbeddedServer(tmp_path, binary=server_binary) as first:
            with pytest.raises(DataDirInUse, match="in use by another run"):
                EmbeddedServer(tmp_path, binary=server_binary).start()
            write(first, "key", "kept")
        with EmbeddedServer(tmp_path, binary=server_binary) as second:
            assert value_of(second, "key") == b"kept"

    def test_damaged_data_are_reported_with_the_file_and_the_servers_own_words(
        self, server_binary: str | None, tmp_path: Path
    ):
        with EmbeddedServer(tmp_path, binary=server_binary) as server:
            write(server, "key", "x" * 1000)
        for part in (tmp_path / "appendonlydir").glob("*.incr.aof"):
            part.write_bytes(b"*3\r\n$3\r\nSET\r\nnonsense, and more of it\r\n" * 10)
        with pytest.raises(DataDamaged, match=r"(?s)appendonlydir/\S+\.incr\.aof.*Bad file format") as caught:
            EmbeddedServer(tmp_path, binary=server_binary).start()
        assert caught.value.data_dir == tmp_path

    def test_damaged_base_file_is_reported_as_damage(self, server_binary: str | None, tmp_path: Path):
        with EmbeddedServer(tmp_path, binary=server_binary) as server:
            write(server, "key", "x" * 1000)
        for part in (tmp_path / "appendonlydir").glob("*.base.rdb"):
            part.write_bytes(part.read_bytes()[:40])
        with pytest.raises(DataDamaged, match="are damaged"):
            EmbeddedServer(tmp_path, binary=server_binary).start()

    @pytest.mark.parametrize("place", ["file/data", "readonly/data"])
    def test_data_directory_that_cannot_be_written_to_is_refused(
        self, server_binary: str | None, tmp_path: Path, place: str
    ):
        (tmp_path / "file").touch()
        # Where nobody may make a folder, not even root.
        folder = Path("/proc/self") / place if place.startswith("readonly") else tmp_path / place
        with pytest.raises(ServerStartFailed, match=r"cannot be written to: .*JOBS_DATA_DIR="):
            EmbeddedServer(folder, binary=server_binary).start()

    def test_claim_names_the_process_that_has_the_directory(self, server_binary: str | None, tmp_path: Path):
        with (
            EmbeddedServer(tmp_path, binary=server_binary),
            pytest.raises(DataDirInUse, match=rf"process {os.getpid()} \(`kill {os.getpid()}` stops it\)"),
        ):
            EmbeddedServer(tmp_path, binary=server_binary).start()

    def test_data_directory_with_spaces_and_foreign_letters_is_used(
        self, server_binary: str | None, tmp_path: Path
    ):
        folder = tmp_path / "dätä, \"quoted\" 'and' # more"
        with EmbeddedServer(folder, binary=server_binary) as server:
            write(server, "key", "kept")
        with EmbeddedServer(folder, binary=server_binary) as server:
            assert value_of(server, "key") == b"kept"

    def test_wrong_configuration_is_reported_with_the_servers_own_words(self, server_binary: str | None):
        with pytest.raises(ServerStartFailed, match="no-such-option"):
            EmbeddedServer(binary=server_binary, extra={"no-such-option": "1"}).start()

    def test_port_of_another_server_is_not_taken_for_ours(self, server_binary: str | None):
        with EmbeddedServer(binary=server_binary, port=0) as other:
            port = int(other.url.removesuffix("/0").rpartition(":")[2])
            with pytest.raises(ServerStartFailed, match="ended at once"):
                EmbeddedServer(binary=server_binary, port=port).start()

    def test_port_taken_by_something_silent_is_reported(self, server_binary: str | None):
        with (
            socket.create_server(("127.0.0.1", 0)) as taken,
            pytest.raises(ServerStartFailed, match=r"(?s)ended at once.*in use"),
        ):
            EmbeddedServer(binary=server_binary, port=taken.getsockname()[1]).start()

    def test_failed_start_leaves_no_temporary_directory(
        self, server_binary: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(servers, "_short_temp_dir", lambda: str(tmp_path))
        with pytest.raises(ServerStartFailed):
            EmbeddedServer(binary=server_binary, extra={"no-such-option": "1"}).start()
        assert list(tmp_path.iterdir()) == []


class TestFindServer:
    def test_server_on_path_comes_before_the_bundled_one(
        self, fake_binary: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
    ):
        binary = fake_binary("redis-server", "7.0.15")
        monkeypatch.setenv("PATH", f"{binary.parent}:/bin")
        assert find_server() == binary

    def test_valkey_on_path_comes_before_redis(
        self, fake_binary: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
    ):
        fake_binary("redis-server", "7.0.15")
        binary = fake_binary("valkey-server", "8.1.0")
        monkeypatch.setenv("PATH", f"{binary.parent}:/bin")
        assert find_server() == binary

    def test_too_old_server_on_path_is_passed_over(
        self, fake_binary: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
    ):
        old = fake_binary("redis-server", "6.0.16")
        bundled = fake_binary("bundled", "9.1.2")
        monkeypatch.setattr(binaries, "bundled_server", lambda: bundled)
        monkeypatch.setenv("PATH", f"{old.parent}:/bin")
        assert find_server() == bundled

    @pytest.mark.usefixtures("nothing_bundled")
    def test_only_a_too_old_server_is_an_error_that_names_it(
        self, fake_binary: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
    ):
        old = fake_binary("redis-server", "6.0.16")
        monkeypatch.setenv("PATH", f"{old.parent}:/bin")
        with pytest.raises(ServerNotFound, match=r"redis-server is version 6\.0, 6\.2 or newer is needed"):
            find_server()

    @pytest.mark.usefixtures("nothing_bundled")
    def test_no_server_at_all_names_three_ways_out(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(ServerNotFound) as caught:
            find_server()
        for way in ("apt-get install", "worker-service[embedded]", "JOBS_REDIS_URL"):
            assert way in str(caught.value)

    def test_asked_binary_is_used_and_no_other(self, fake_binary: Callable[[str, str], Path]):
        binary = fake_binary("my-server", "6.2.0")
        assert find_server(binary) == binary
        with pytest.raises(ServerNotFound, match="no-such-server is not an executable"):
            find_server("no-such-server")

    def test_binary_that_is_no_server_is_refused(self, tmp_path: Path):
        binary = tmp_path / "broken"
        binary.write_text("#!/bin/sh\nexit 3\n")
        binary.chmod(0o755)
        with pytest.raises(ServerNotFound, match="broken does not run"):
            find_server(binary)


@pytest.mark.soak
def test_twenty_crashes_lose_no_acknowledged_write(own_server: EmbeddedServer):
    for crash in range(20):
        with Redis.from_url(own_server.url) as client:
            for number in range(500):
                client.rpush("numbers", crash * 500 + number)
        own_server.kill()
        own_server.start()
    with Redis.from_url(own_server.url) as client:
        assert client.lrange("numbers", 0, -1) == [b"%d" % number for number in range(20 * 500)]
