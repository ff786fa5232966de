"""Streamlit's server with the workbench loaded: the first visitor need not wait for it.

``python -m workbench.ui.server run app.py`` takes what ``streamlit`` takes.
"""

from streamlit.runtime.pages_manager import PagesManager
from streamlit.web.cli import main

from workbench.ui.queue import start_jobs


def run() -> None:
    """Start the workers, then the server, which this process becomes."""
    # Pages are those of app.py. Streamlit would take the folder ``pages`` for the whole app as
    # long as nobody has opened the start page.
    PagesManager.uses_pages_directory = False
    start_jobs()
    main(prog_name="streamlit")


if __name__ == "__main__":
    run()
