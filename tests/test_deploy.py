"""What is in `Dockerfile`, `docker-compose.yml` and `deploy/`, as far as it can be tried without images.

`make test-compose` runs the rest of it: the same nginx.conf and valkey.conf, two instances, PostgreSQL.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from foyer.store import embedded
from tests.compose.stack import AS_OURSELVES, DEPLOY, program
from tests.server import Server
from tests.settings import ROOT
from tests.store import free_port

COMPOSE = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SECRETS = ("SECRET_KEY", "POSTGRES_PASSWORD", "VALKEY_PASSWORD")
NEEDED = (*SECRETS, "ALLOWED_HOSTS")


@pytest.fixture(scope="session")
def compose() -> list[str]:
    """The command `docker compose`: the plugin of today, or the program that Debian has."""
    if shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        return ["docker", "compose"]
    if found := shutil.which("docker-compose"):
        return [found]
    assert os.environ.get("CI") != "true", "docker-compose is not installed"
    return pytest.skip("docker compose is not installed")


def checked(compose: list[str], folder: Path, env_file: str) -> subprocess.CompletedProcess[str]:
    """What `docker compose config` says with a file of variables, and no others in the environment."""
    (folder / "env").write_text(env_file)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    files: list[Any] = ["-f", ROOT / "docker-compose.yml", "--env-file", folder / "env"]
    command = [*compose, *files, "config", "--quiet"]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def filled_in(*names: str) -> str:
    """deploy/example.env with a value behind some names."""
    text = (DEPLOY / "example.env").read_text()
    for name in names:
        assert f"\n{name}=\n" in text
        text = text.replace(f"\n{name}=\n", f"\n{name}=value-of-{name.lower()}\n")
    return text


def test_docker_compose_takes_the_file_once_the_example_is_filled_in(compose: list[str], tmp_path: Path) -> None:
    done = checked(compose, tmp_path, filled_in(*NEEDED))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("missing", NEEDED)
def test_it_starts_with_no_secret_left_out(compose: list[str], tmp_path: Path, missing: str) -> None:
    done = checked(compose, tmp_path, filled_in(*(name for name in NEEDED if name != missing)))
    assert done.returncode != 0
    assert "is not set" in done.stderr
    assert missing in done.stderr


def test_nothing_has_a_default_password() -> None:
    for name in SECRETS:
        uses = re.findall(rf"\$\{{{name}(.*?)\}}", COMPOSE)
        assert uses
        assert all(use.startswith(":?") for use in uses)


def test_the_example_names_all_that_the_file_asks_for() -> None:
    named = set(re.findall(r"^#?([A-Z_]+)=", (DEPLOY / "example.env").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", COMPOSE)) == named


def test_every_service_has_a_health_check_and_an_image_of_one_release() -> None:
    assert set(SERVICES) == {"nginx", "foyer-1", "foyer-2", "postgres", "valkey"}
    for service in SERVICES.values():
        if "build" in service:
            assert "HEALTHCHECK" in DOCKERFILE
        else:
            assert service["healthcheck"]["test"]
            assert re.fullmatch(r"[\w/]+:\d+\.[\d.]+", service["image"])


def test_the_instances_trust_nginx_alone_and_nginx_knows_them_by_their_addresses() -> None:
    def address(name: str) -> str:
        return str(SERVICES[name]["networks"]["edge"]["ipv4_address"])

    instances = ["foyer-1", "foyer-2"]
    assert all(SERVICES[name]["environment"]["TRUSTED_PROXIES"] == address("nginx") for name in instances)
    listed = re.findall(r"^server (\S+):9000", (DEPLOY / "nginx/instances.conf").read_text(), re.MULTILINE)
    assert listed == [address(name) for name in instances]
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]


def test_nginx_takes_its_files(tmp_path: Path) -> None:
    nginx = program("nginx")
    if nginx is None:
        assert os.environ.get("CI") != "true", "nginx is not installed"
        pytest.skip("nginx is not installed")
    command: list[Any] = [nginx, "-e", "stderr", "-p", tmp_path, "-c", DEPLOY / "nginx/nginx.conf", "-t", *AS_OURSELVES]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


def test_the_stores_file_has_what_the_embedded_store_is_started_with() -> None:
    words = embedded.command(Path("folder"), Path("socket"))
    options = dict(zip((word.removeprefix("--") for word in words[1::2]), words[2::2], strict=True))
    pairs = [
        line.split(" ", 1) for line in (DEPLOY / "valkey.conf").read_text().splitlines() if line and line[0] != "#"
    ]
    told = {name: value.strip('"') for name, value in pairs}
    assert told == {name: options[name] for name in ("appendonly", "save", "maxmemory-policy")} | {
        "appendfsync": "always",
        "maxmemory": "2gb",
    }
    assert int(options["maxmemory"]) > 0


def test_the_image_is_of_our_python_and_runs_as_nobody_in_particular() -> None:
    assert re.match(r"FROM python:3\.11\.\d+-slim", DOCKERFILE[DOCKERFILE.index("FROM") :])
    user = re.search(r"^USER (\w+)$", DOCKERFILE, re.MULTILINE)
    assert user
    assert user[1] != "root"
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".env", "var", ".git"} <= set(ignored)


def test_the_health_check_of_the_image_tells_an_instance_that_is_ready_from_one_that_is_not(
    start_server: Callable[..., Server],
) -> None:
    found = re.search(r"HEALTHCHECK.*?CMD (\[.*?\])$", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert found
    python, *words = json.loads(found[1])
    assert python == "python"

    def exit_code(port: int) -> int:
        command = [sys.executable, *(word.replace(":9000", f":{port}") for word in words)]
        return subprocess.run(command, capture_output=True).returncode

    assert exit_code(start_server().port) == 0
    assert exit_code(free_port()) != 0
