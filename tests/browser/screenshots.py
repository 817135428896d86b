"""Pictures of the pages for README and docs: made when SCREENSHOTS names a folder (`make screenshots`)."""

import io
import os
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

MOST_BYTES = 150_000


def keep_picture(tab: Page, name: str, theme: str) -> None:
    """Write what a tab shows, if pictures are wanted."""
    folder = os.environ.get("SCREENSHOTS")
    if not folder:
        return
    image = Image.open(io.BytesIO(tab.screenshot()))
    path = Path(folder) / f"{name}-{theme}.webp"
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=80, method=6)
    assert path.stat().st_size < MOST_BYTES
