"""Makes an image smaller, in one size or in several."""

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..jobs.errors import PermanentError
from ..outbound import Network
from .download import download
from .files import existing_file, write_whole

if TYPE_CHECKING:
    from PIL import Image

Format = Literal["jpeg", "png", "gif", "webp"]
Size = tuple[int, int]

SIZE_LIMIT = 50 * 1024 * 1024
PIXEL_LIMIT = 64_000_000
"""256 MB in memory: the photos of today's cameras pass."""

RESULTS = "resized"
_READABLE = ("JPEG", "PNG", "GIF", "WEBP")
_ENDINGS: dict[str, Format] = {
    ".gif": "gif",
    ".jfif": "jpeg",
    ".jpe": "jpeg",
    ".jpeg": "jpeg",
    ".jpg": "jpeg",
    ".png": "png",
    ".webp": "webp",
}
_SMOOTH_MODES = ("L", "RGB", "RGBA", "CMYK")
_COLOURS_OF_PROFILE = {"L": b"GRAY", "RGB": b"RGB ", "RGBA": b"RGB "}
_ORIENTATION = 0x0112
_LYING_DOWN = (5, 6, 7, 8)
_QUALITY = 85


def resize_image(
    files: Path,
    source: str,
    width: int | None = None,
    height: int | None = None,
    format: Format | None = None,  # noqa: A002 - the job's argument is called so
    sizes: Sequence[Size] | None = None,
    *,
    allowed: Sequence[Network] = (),
) -> dict[str, Any]:
    """Make an image small enough for a box, or for each of several, and keep it as a file.

    The aspect ratio stays. An image that fits already keeps its size: nothing is enlarged. What was turned by the
    camera is stored upright. Of an animation the first frame is taken. JPEG has no transparency: what is transparent
    becomes white. The colour profile is kept; other metadata (place, time, camera) is not.

    Args:
        files: the directory of files.
        source: a path relative to ``files``, or an http(s) URL; JPEG, PNG, GIF or WebP, at most 50 MiB and 64
            million pixels.
        width, height: the box in pixels, 1 to 10,000; or
        sizes: the width and height of several boxes.
        format: of the result; by default that of the source.
        allowed: networks that may be reached although they are not public.

    Returns:
        ``path`` of the result relative to ``files``, its ``width`` and ``height`` in pixels, its size in ``bytes``
        and its ``format``; of several boxes a list of these, in their order, as ``images``. The name follows from the
        content of the source and the box, so a repeat writes the same file again.

    Raises:
        RemoteError: the remote server failed or is busy.
        PermanentError: the source is missing, outside of ``files``, at an address that is not public, refused by its
            server, too large, no image, or one of another format than its name says; or Pillow is not installed.
    """
    if (width is None) != (height is None) or (width is None) == (sizes is None):
        raise PermanentError("say how large: either width and height, or a list of them as sizes")
    content = _content(files, source, allowed)
    if width is not None and height is not None:
        return _one(files, source, content, (width, height), format)
    return {"images": [_one(files, source, content, size, format) for size in sizes or ()]}


def _one(files: Path, source: str, content: bytes, box: Size, wanted: Format | None) -> dict[str, Any]:
    try:
        small, found = _resized(content, box)
        _check_ending(source, found)
        written_as = wanted or found
        encoded = _encoded(small, written_as)
    except (MemoryError, PermanentError):
        raise
    except Exception as error:
        # Hostile files make Pillow raise nearly anything; the same bytes will do so again.
        raise PermanentError(f"{source} cannot be read as an image: {error!r}") from error
    name = f"{hashlib.sha256(content).hexdigest()[:32]}-{box[0]}x{box[1]}.{written_as}"
    write_whole(files / RESULTS / name, encoded)
    return {
        "path": f"{RESULTS}/{name}",
        "width": small.width,
        "height": small.height,
        "bytes": len(encoded),
        "format": written_as,
    }


def _check_ending(source: str, found: Format) -> None:
    """A file that is called other than it is was meant to deceive, or was mixed up; a URL's ending says nothing."""
    said = _ENDINGS.get(Path(source).suffix.lower())
    if "://" not in source and said not in (None, found):
        raise PermanentError(f"{source} is a {found.upper()} image, and its name says {said}: rename it")


def _content(files: Path, source: str, allowed: Sequence[Network]) -> bytes:
    if "://" in source:
        return download(source, SIZE_LIMIT, allowed).body
    with existing_file(files, source).open("rb") as file:
        content = file.read(SIZE_LIMIT + 1)
    if len(content) > SIZE_LIMIT:
        raise PermanentError(f"{source} has more than {SIZE_LIMIT} bytes")
    return content


def _resized(content: bytes, box: Size) -> "tuple[Image.Image, Format]":
    """The small image, upright, and the format of the source."""
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError as error:
        raise PermanentError(
            "images need Pillow, which is not installed: pip install 'worker-service[images]'"
        ) from error
    try:
        opened = Image.open(io.BytesIO(content), formats=_READABLE)
    except UnidentifiedImageError as error:
        raise PermanentError("the source is no JPEG, PNG, GIF or WebP image") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PermanentError(f"the image has more than {PIXEL_LIMIT} pixels: {error}") from error
    if opened.width * opened.height > PIXEL_LIMIT:
        raise PermanentError(
            f"the image has {opened.width} x {opened.height} pixels, more than {PIXEL_LIMIT}"
        )
    lies = opened.getexif().get(_ORIENTATION) in _LYING_DOWN
    small = _smooth(opened)
    # Turned only when small, and straight from the file if possible: a JPEG is then decoded at a fraction of its size.
    small.thumbnail(box[::-1] if lies else box, Image.Resampling.LANCZOS)
    return ImageOps.exif_transpose(small), _format_of(opened)


def _format_of(opened: "Image.Image") -> Format:
    formats: dict[str | None, Format] = {"PNG": "png", "GIF": "gif", "WEBP": "webp"}
    return formats.get(opened.format, "jpeg")  # Pillow calls a JPEG with several pictures in it MPO


def _smooth(image: "Image.Image") -> "Image.Image":
    """In a mode whose pixels can be mixed; in the others resizing picks single pixels."""
    if image.has_transparency_data and image.mode != "RGBA":
        return image.convert("RGBA")
    if image.mode.startswith("I"):  # 16 bits of grey, which convert() would cut off at 255
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in _SMOOTH_MODES else image.convert("RGB")


def _encoded(image: "Image.Image", format: Format) -> bytes:  # noqa: A002 - as above
    if format == "jpeg" and image.mode == "RGBA":
        image = _on_white(image)
    elif image.mode == "CMYK":
        image = image.convert("RGB")
    profile = image.info.get("icc_profile", b"")
    image.info.clear()  # comments and the like, which some of the encoders would write
    target = io.BytesIO()
    fits = profile[16:20] == _COLOURS_OF_PROFILE[image.mode]
    image.save(target, format, quality=_QUALITY, icc_profile=profile if fits else None)
    return target.getvalue()


def _on_white(image: "Image.Image") -> "Image.Image":
    from PIL import Image

    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A"))
    flat.info = image.info
    return flat
