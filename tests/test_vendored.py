"""What was taken from other projects into the package is theirs, unchanged, and says where it is from."""

import hashlib
import json
from pathlib import Path

VENDOR = Path(__file__).parents[1] / "worker_service" / "dashboard" / "static" / "vendor"
LIST = VENDOR / "vendored.json"


def test_every_vendored_file_is_listed_with_the_hash_of_what_was_released():
    listed = {
        name: sha256 for package in json.loads(LIST.read_text()) for name, sha256 in package["sha256"].items()
    }
    found = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path != LIST
    }
    assert found == listed


def test_every_vendored_package_names_version_licence_and_purpose():
    for package in json.loads(LIST.read_text()):
        assert set(package) == {"package", "from", "version", "license", "used_for", "sha256"}
        assert all(package.values())
        assert any("LICENSE" in name for name in package["sha256"]), package["package"]
