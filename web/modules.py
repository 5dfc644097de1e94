"""The client's modules. The page names them all, so that a browser need not find them one import after another."""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).parent / "static"
MODULES = sorted(path.relative_to(STATIC).as_posix() for path in (STATIC / "foyer/app").rglob("*.js"))
