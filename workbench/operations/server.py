"""Where the app lies, and which addresses are this machine alone."""

import ipaddress
import os
import tomllib
from pathlib import Path
from urllib.parse import urlsplit


def app_folder() -> Path:
    """Return the folder of ``app.py``: the checkout, else the copy in the installed package."""
    package = Path(__file__).resolve().parents[1]
    return package.parent if (package.parent / "app.py").is_file() else package / "_bundled"


def configured_address(app: Path) -> str:
    """Return where ``streamlit run app.py`` listens by its own settings; empty: everywhere."""
    if chosen := os.environ.get("STREAMLIT_SERVER_ADDRESS"):
        return chosen
    try:
        content = tomllib.loads((app / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
        return str(content["server"]["address"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def is_loopback(host: str) -> bool:
    """Tell whether an address or name, as in ``--host`` or a Host header, is this machine alone.

    Examples
    --------
    >>> [is_loopback(host) for host in ("127.0.0.1", "localhost", "::1", "[::1]:8501")]
    [True, True, True, True]
    >>> [is_loopback(host) for host in ("", "0.0.0.0", "::", "localhost.example.org")]
    [False, False, False, False]
    """
    if host.startswith("unix:"):
        return True
    try:
        has_port = host.count(":") == 1 or host.startswith("[")
        name = (urlsplit(f"//{host}").hostname or "") if has_port else host
        return name.casefold() == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
