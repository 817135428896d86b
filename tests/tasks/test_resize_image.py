"""resize_image on real files, made here."""

import functools
import io
import os
import struct
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from worker_service.jobs.errors import PermanentError
from worker_service.tasks import resize_image as module
from worker_service.tasks.resize_image import PIXEL_LIMIT, resize_image

Put = Callable[..., str]
RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)
LOOPBACK = (ip_network("127.0.0.1"),)
UPRIGHT_AFTER_A_QUARTER_TURN = 6


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The directory of files."""
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


@pytest.fixture
def put(files: Path) -> Put:
    """Puts an image or bytes there; returns the name."""

    def put(name: str, content: bytes | Image.Image, **options: Any) -> str:
        (files / name).parent.mkdir(exist_ok=True)
        if isinstance(content, Image.Image):
            content.save(files / name, **options)
        else:
            (files / name).write_bytes(content)
        return name

    return put


@pytest.fixture
def site(files: Path) -> Iterator[str]:
    """Address of a site that serves the files."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(files)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def opened(files: Path, result: dict[str, Any]) -> Image.Image:
    """The result, after a look whether it is what was said of it."""
    path = files / result["path"]
    with Image.open(path) as image:
        n_frames = getattr(image, "n_frames", 1)
        copy = image.copy()
    assert n_frames == 1
    assert (image.width, image.height) == (result["width"], result["height"])
    assert path.stat().st_size == result["bytes"]
    assert str(image.format).lower() == result["format"]
    return copy


def is_close(one: Any, other: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 12 for a, b in zip(one, other, strict=True))


def halves(left: Any, right: Any, size: tuple[int, int] = (400, 200), mode: str = "RGB") -> Image.Image:
    """An image with two colours."""
    image = Image.new(mode, size, left)
    image.paste(Image.new(mode, (size[0] // 2, size[1]), right), (size[0] // 2, 0))
    return image


def png_that_claims(width: int, height: int) -> bytes:
    """A few bytes that are a valid beginning of an image of this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class TestSize:
    @pytest.mark.parametrize(
        ("box", "size"),
        [((100, 100), (100, 50)), ((1000, 50), (100, 50)), ((200, 20), (40, 20)), ((1, 1), (1, 1))],
    )
    def test_image_fits_the_box_and_keeps_its_ratio(
        self, files: Path, put: Put, box: tuple[int, int], size: tuple[int, int]
    ):
        result = resize_image(files, put("a.jpg", halves(RED, BLUE)), *box)
        assert opened(files, result).size == size

    def test_small_image_is_not_enlarged(self, files: Path, put: Put):
        result = resize_image(files, put("a.png", halves(RED, BLUE, (40, 20))), 4000, 4000)
        assert opened(files, result).size == (40, 20)

    def test_photo_that_lies_on_its_side_is_stood_up(self, files: Path, put: Put):
        exif = Image.Exif()
        exif[0x0112] = UPRIGHT_AFTER_A_QUARTER_TURN
        name = put("a.jpg", halves(RED, BLUE), exif=exif)
        upright = opened(files, resize_image(files, name, 100, 50))
        assert upright.size == (25, 50)
        assert is_close(upright.getpixel((12, 5)), RED)
        assert is_close(upright.getpixel((12, 45)), BLUE)
        assert 0x0112 not in upright.getexif()

    def test_large_photo_is_made_small(self, files: Path, put: Put):
        result = resize_image(files, put("a.jpg", halves(RED, BLUE, (6001, 4001))), 300, 300)
        assert opened(files, result).size == (300, 200)


class TestFormats:
    @pytest.mark.parametrize("kind", ["jpeg", "png", "gif", "webp"])
    def test_format_stays_when_no_other_is_asked_for(self, files: Path, put: Put, kind: str):
        result = resize_image(files, put("a", halves(RED, BLUE), format=kind), 100, 100)
        image = opened(files, result).convert("RGB")
        assert result["format"] == kind
        assert is_close(image.getpixel((10, 10)), RED)
        assert is_close(image.getpixel((90, 10)), BLUE)

    @pytest.mark.parametrize("wanted", ["png", "gif", "webp"])
    def test_transparency_stays_where_the_format_has_it(self, files: Path, put: Put, wanted: Any):
        name = put("a.png", halves((255, 0, 0, 255), (0, 0, 0, 0), mode="RGBA"))
        image = opened(files, resize_image(files, name, 100, 100, wanted)).convert("RGBA")
        assert is_close(image.getpixel((10, 10)), (*RED, 255))
        assert image.getpixel((90, 10))[3] == 0  # type: ignore[index]

    def test_what_is_transparent_becomes_white_in_a_jpeg(self, files: Path, put: Put):
        name = put("a.png", halves((255, 0, 0, 255), (0, 0, 0, 0), mode="RGBA"))
        image = opened(files, resize_image(files, name, 100, 100, "jpeg"))
        assert is_close(image.getpixel((10, 10)), RED)
        assert is_close(image.getpixel((90, 10)), WHITE)

    @pytest.mark.parametrize(
        ("mode", "left", "right", "expected"),
        [
            ("1", 0, 1, (255, 255, 255)),
            ("L", 0, 100, (100, 100, 100)),
            ("LA", (0, 255), (100, 255), (100, 100, 100)),
            ("I;16", 0, 0x8000, (128, 128, 128)),
            ("P", 0, 7, None),
            ("CMYK", (0, 0, 0, 0), (0, 255, 255, 0), (254, 0, 0)),
        ],
    )
    @pytest.mark.parametrize("wanted", ["jpeg", "png", "gif", "webp"])
    def test_images_of_every_kind_of_pixel_keep_their_colours(
        self, files: Path, put: Put, mode: str, left: Any, right: Any, expected: Any, wanted: Any
    ):
        source = halves(left, right, mode=mode)
        if mode == "P":
            source.putpalette(bytes(range(24)) * 32)
            expected = (21, 22, 23)
        name = put("a", source, format="jpeg" if mode == "CMYK" else "png")
        image = opened(files, resize_image(files, name, 100, 100, wanted)).convert("RGB")
        assert is_close(image.getpixel((90, 10)), expected)

    def test_first_picture_of_an_animation_is_taken(self, files: Path, put: Put):
        frames = [Image.new("RGB", (40, 40), colour) for colour in (RED, BLUE, WHITE)]
        name = put("a.gif", frames[0], save_all=True, append_images=frames[1:])
        image = opened(files, resize_image(files, name, 20, 20))
        assert is_close(image.convert("RGB").getpixel((10, 10)), RED)

    @pytest.mark.parametrize("name", ["upload", "upload.bin", "a.PNG"])
    def test_content_decides_where_the_name_says_nothing_else(self, files: Path, put: Put, name: str):
        result = resize_image(files, put(name, halves(RED, BLUE), format="png"), 100, 100)
        assert opened(files, result).size == (100, 50)
        assert (result["format"], Path(result["path"]).suffix) == ("png", ".png")

    def test_colour_profile_stays_and_the_place_of_the_photo_does_not(self, files: Path, put: Put):
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        exif = Image.Exif()
        exif[0x010F] = "A camera"
        name = put("a.jpg", halves(RED, BLUE), icc_profile=profile, exif=exif, comment=b"private")
        image = opened(files, resize_image(files, name, 100, 100))
        assert image.info["icc_profile"] == profile
        assert (dict(image.getexif()), image.info.get("comment")) == ({}, None)


class TestResult:
    def test_same_image_and_size_give_the_same_file(self, files: Path, put: Put):
        first = resize_image(files, put("a.jpg", halves(RED, BLUE)), 100, 100)
        again = resize_image(files, put("other/b.jpeg", (files / "a.jpg").read_bytes()), 100, 100)
        assert first == again
        assert [path.name for path in (files / "resized").iterdir()] == [Path(first["path"]).name]

    def test_several_sizes_are_made_in_one_job_and_each_is_the_file_it_is_alone(self, files: Path, put: Put):
        name = put("a.webp", halves(RED, BLUE))
        both = resize_image(files, name, format="jpeg", sizes=[(200, 200), (50, 50)])["images"]
        assert [opened(files, each).size for each in both] == [(200, 100), (50, 25)]
        bytes_before = (files / both[1]["path"]).read_bytes()
        assert resize_image(files, name, 50, 50, "jpeg") == both[1]
        assert (files / both[1]["path"]).read_bytes() == bytes_before

    def test_other_image_size_or_format_gives_another_file(self, files: Path, put: Put):
        name = put("a.jpg", halves(RED, BLUE))
        other = put("b.jpg", halves(BLUE, RED))
        results = [
            resize_image(files, name, 100, 100),
            resize_image(files, name, 100, 99),
            resize_image(files, name, 100, 100, "png"),
            resize_image(files, other, 100, 100),
        ]
        assert len({result["path"] for result in results}) == 4

    def test_write_that_fails_leaves_nothing(self, files: Path, put: Put, monkeypatch: pytest.MonkeyPatch):
        def disk_full(descriptor: int) -> None:
            raise OSError("no space left")

        name = put("a.jpg", halves(RED, BLUE))
        monkeypatch.setattr("worker_service.tasks.files.os.fsync", disk_full)
        with pytest.raises(OSError, match="no space"):
            resize_image(files, name, 100, 100)
        assert list((files / "resized").iterdir()) == []


class TestDownload:
    def test_image_of_a_web_address_is_resized(self, files: Path, put: Put, site: str):
        url = f"{site}/{put('a.jpg', halves(RED, BLUE))}"
        result = resize_image(files, url, 100, 100, allowed=LOOPBACK)
        assert opened(files, result).size == (100, 50)
        assert result == resize_image(files, "a.jpg", 100, 100)

    def test_missing_one_is_given_up(self, files: Path, site: str):
        with pytest.raises(PermanentError, match="404"):
            resize_image(files, f"{site}/none.jpg", 100, 100, allowed=LOOPBACK)

    def test_one_on_this_machine_is_not_asked_for(self, files: Path, put: Put, site: str):
        with pytest.raises(PermanentError, match="JOBS_OUTBOUND_ALLOW"):
            resize_image(files, f"{site}/{put('a.jpg', halves(RED, BLUE))}", 100, 100)

    def test_too_large_one_is_given_up(
        self, files: Path, put: Put, site: str, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(module, "SIZE_LIMIT", 100)
        with pytest.raises(PermanentError, match="more than 100 bytes"):
            resize_image(files, f"{site}/{put('a.jpg', halves(RED, BLUE))}", 100, 100, allowed=LOOPBACK)

    def test_other_schemes_are_given_up(self, files: Path):
        with pytest.raises(PermanentError, match="not an http or https URL"):
            resize_image(files, "file:///etc/passwd", 100, 100)


class TestRefused:
    @pytest.mark.parametrize("kind", ["png", "gif", "webp"])
    def test_image_of_another_format_than_its_name_says_is_given_up(self, files: Path, put: Put, kind: str):
        with pytest.raises(PermanentError, match=f"a.jpg is a {kind.upper()} image, and its name says jpeg"):
            resize_image(files, put("a.jpg", halves(RED, BLUE), format=kind), 100, 100)
        assert not (files / "resized").exists()

    @pytest.mark.parametrize("how_large", [{}, {"width": 5}, {"width": 5, "height": 5, "sizes": [(5, 5)]}])
    def test_size_that_is_missing_or_said_twice_is_given_up(
        self, files: Path, put: Put, how_large: dict[str, Any]
    ):
        with pytest.raises(PermanentError, match="width and height, or a list"):
            resize_image(files, put("a.jpg", halves(RED, BLUE)), **how_large)

    @pytest.mark.parametrize("name", ["../secret.png", "a/../../secret.png", "link.png", "folder/secret.png"])
    def test_file_outside_of_the_directory_is_not_read(self, files: Path, put: Put, name: str):
        outside = files.parent / "secret.png"
        halves(RED, BLUE).save(outside)
        (files / "a").mkdir()
        (files / "link.png").symlink_to(outside)
        (files / "folder").symlink_to(files.parent)
        with pytest.raises(PermanentError, match="leads out of"):
            resize_image(files, name, 100, 100)

    def test_absolute_path_is_not_read(self, files: Path, put: Put):
        put("a.png", halves(RED, BLUE))
        for name in (str(files / "a.png"), "/etc/passwd"):
            with pytest.raises(PermanentError, match="leads out of"):
                resize_image(files, name, 100, 100)

    def test_link_and_dots_that_stay_inside_are_fine(self, files: Path, put: Put):
        put("a.png", halves(RED, BLUE))
        (files / "folder").mkdir()
        (files / "link.png").symlink_to("a.png")
        assert resize_image(files, "link.png", 9, 9) == resize_image(files, "folder/../a.png", 9, 9)

    @pytest.mark.parametrize(
        "name", ["none.png", "", ".", "folder", "a.png/x", "pipe", "circle", "x" * 300, "a\0b"]
    )
    def test_what_is_no_file_is_given_up(self, files: Path, put: Put, name: str):
        put("a.png", halves(RED, BLUE))
        (files / "folder").mkdir()
        (files / "circle").symlink_to("circle")
        os.mkfifo(files / "pipe")
        with pytest.raises(PermanentError):
            resize_image(files, name, 100, 100)

    def test_missing_directory_is_no_trouble(self, tmp_path: Path):
        with pytest.raises(PermanentError, match="no file"):
            resize_image(tmp_path / "none", "a.png", 100, 100)

    @pytest.mark.parametrize(
        "content", [b"", b"just text", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"]
    )
    def test_what_is_no_image_is_given_up_whatever_it_is_called(self, files: Path, put: Put, content: bytes):
        with pytest.raises(PermanentError, match="no JPEG, PNG, GIF or WebP"):
            resize_image(files, put("a.jpg", content), 100, 100)

    @pytest.mark.parametrize("kind", ["jpeg", "png", "gif", "webp"])
    def test_image_cut_off_anywhere_is_given_up(self, files: Path, put: Put, kind: str):
        noise = Image.effect_noise((90, 60), 80).convert("RGB")
        whole = io.BytesIO()
        noise.save(whole, kind)
        for part in (0.05, 0.3, 0.6, 0.9):
            name = put("a.jpg", whole.getvalue()[: int(len(whole.getvalue()) * part)])
            with pytest.raises(PermanentError):
                resize_image(files, name, 50, 50)
        assert not (files / "resized").exists()

    def test_few_bytes_that_claim_to_be_a_huge_image_are_given_up(self, files: Path, put: Put):
        for side in (8001, 12_000, 60_000):
            with pytest.raises(PermanentError, match=f"more than {PIXEL_LIMIT}"):
                resize_image(files, put("a.png", png_that_claims(side, 8000)), 100, 100)

    def test_file_of_too_many_bytes_is_given_up(self, files: Path, put: Put, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(module, "SIZE_LIMIT", 100)
        with pytest.raises(PermanentError, match="more than 100 bytes"):
            resize_image(files, put("a.jpg", halves(RED, BLUE)), 100, 100)

    def test_without_pillow_the_error_says_what_to_install(
        self, files: Path, put: Put, monkeypatch: pytest.MonkeyPatch
    ):
        name = put("a.jpg", halves(RED, BLUE))
        monkeypatch.setitem(sys.modules, "PIL", None)
        with pytest.raises(PermanentError, match=r"pip install 'worker-service\[images\]'"):
            resize_image(files, name, 100, 100)
