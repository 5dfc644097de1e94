"""The client's modules. The page names those that it begins with, so that a browser need not find them one import after
another; those of `pages/` are loaded when they are first opened."""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).parent / "static"
APP = STATIC / "foyer/app"
MODULES = sorted(path.relative_to(STATIC).as_posix() for path in APP.rglob("*.js") if path.parent != APP / "pages")
