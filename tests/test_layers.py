"""The rooms of the house: imports point one way."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from tests.settings import ROOT

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]


def apps_in_layers() -> list[str]:
    """The apps from the top to the bottom; those beside each other too."""
    layers = next(contract["layers"] for contract in SETTINGS["contracts"] if "containers" not in contract)
    return [app for layer in layers for app in layer.split(" | ")]


def test_imports_point_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    found = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, found.stdout


def test_every_app_has_its_place_among_the_layers() -> None:
    apps = {folder.parent.name for folder in ROOT.glob("*/apps.py")}
    apps |= {folder.parent.parent.name for folder in ROOT.glob("clients/*/apps.py")}
    layers = apps_in_layers()
    assert apps <= set(SETTINGS["root_packages"])
    assert apps <= set(layers)


def test_nothing_imports_the_settings_and_the_engine_imports_no_app() -> None:
    layers = apps_in_layers()
    assert (layers[0], layers[-1]) == ("config", "foyer")
    assert set(layers) == set(SETTINGS["root_packages"])
