"""Pictures by a headless Chromium, small enough to keep."""

import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

COLOURS = 96
FIGURE_WIDTH, FIGURE_HEIGHT = 860, 480


class Pictures:
    """A browser that draws pages and figures into PNG files."""

    def __enter__(self) -> Self:
        self._playwright = sync_playwright().start()
        names = ("chromium", "chromium-browser", "google-chrome")
        path = next(filter(None, map(shutil.which, names)), None)
        self.browser: Browser = self._playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"]
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.browser.close()
        self._playwright.stop()

    def figure(self, figure: Any, path: Path) -> None:
        """Draw a plotly figure."""
        height = int(figure.layout.height or FIGURE_HEIGHT)
        page = self.browser.new_page(viewport={"width": FIGURE_WIDTH, "height": height})
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "figure.html"
            figure.update_layout(width=FIGURE_WIDTH, height=height, paper_bgcolor="white")
            figure.write_html(file, config={"displayModeBar": False})
            page.goto(file.as_uri())
            page.wait_for_selector(".main-svg")
            page.wait_for_timeout(400)
            shot(page.locator(".plot-container").first, path)
        page.close()


def shot(what: Any | Page, path: Path) -> None:
    """Take a picture, and keep it with few colours."""
    what.screenshot(path=path)
    with Image.open(path) as image:
        few = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
