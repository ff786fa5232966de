"""The server starts with the workers, and with the pages of ``app.py`` alone."""

from streamlit.runtime.pages_manager import PagesManager

from workbench.ui import server


def test_pages_are_settled_and_workers_started_before_the_server(monkeypatch):
    seen = []
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    monkeypatch.setattr(server, "start_jobs", lambda: seen.append("workers"))

    def main(**options):
        seen.append((options, PagesManager.uses_pages_directory))

    monkeypatch.setattr(server, "main", main)
    server.run()
    assert seen == ["workers", ({"prog_name": "streamlit"}, False)]
