"""Run the gallery and write its outputs: ``python -m docs.gallery [PAGE ...]``."""

import sys

from docs.gallery.pages import page_of, pages
from docs.gallery.running import in_a_new_folder, run, written
from docs.pictures import Pictures
from workbench.cli.printing import echo


def main(names: list[str]) -> None:
    """Run the pages that are named, or all of them."""
    with Pictures() as pictures:
        for page in [page_of(name) for name in names] or pages():
            with in_a_new_folder():
                done = run(page)
            for number, block in enumerate(done, start=1):
                if block.figure is not None:
                    pictures.figure(block.figure, page.with_name(f"{page.stem}_{number}.png"))
            page.write_text(written(page, done), encoding="utf-8")
            echo(f"Wrote {page}")


if __name__ == "__main__":
    main(sys.argv[1:])
