#!/bin/sh
# Bring what the browser tests need: a Chromium that is there, Debian's, or Playwright's.
#
#   sh tests/bring_chromium.sh PYTHON
#
# Without any, the browser tests are skipped and one line says so; in CI (CI is set) that is a
# failure.
set -eu
python=$1

found() {
  # Playwright, which drives it, needs a library that small images lack.
  "$python" -m playwright --version >/dev/null 2>&1 || return 1
  for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then return 0; fi
  done
  "$python" - <<'CODE'
import sys
from pathlib import Path
from playwright.sync_api import sync_playwright

with sync_playwright() as playwright:
    sys.exit(not Path(playwright.chromium.executable_path).exists())
CODE
}

from_debian() {
  [ "$(id -u)" -eq 0 ] && grep -qx 'ID=debian' /etc/os-release 2>/dev/null || return 1
  echo "Installing chromium and libatomic1 with apt-get for the browser tests."
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update </dev/null \
    && apt-get -qq install -y --no-install-recommends chromium libatomic1 </dev/null >/dev/null
}

from_playwright() {
  echo "Installing Playwright's Chromium for the browser tests."
  # As root, where it knows the distribution, it brings the system libraries of a browser, too.
  if [ "$(id -u)" -eq 0 ] && "$python" -m playwright install --with-deps chromium </dev/null; then
    return 0
  fi
  "$python" -m playwright install chromium </dev/null
}

if found || from_debian || from_playwright; then exit 0; fi
if [ -n "${CI:-}" ]; then
  echo "No Chromium could be installed, and CI must not skip the browser tests." >&2
  exit 1
fi
echo "*** NO CHROMIUM: the browser tests will be SKIPPED; install chromium to run them. ***" >&2
