"""A real browser for tests: Debian's Chromium, driven by Playwright.

One browser serves the tests of a module. It ends with the module, since an event loop that is Playwright's runs as long
as it does, and asynchronous tests need one of their own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Skips where there is no Chromium; under CI that is a failure."""
    chromium = shutil.which("chromium")
    if chromium is None:
        missing = "There is no 'chromium' on the PATH; Debian's package has that name."
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=options)
        yield running
        running.close()
