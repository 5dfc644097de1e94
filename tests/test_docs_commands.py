"""Every command in the documentation is run, or, where a test has not got what it needs, checked word by word.

A block marked `sh` is run as it stands, on a fresh server. `sh docker` needs images, `sh root` a machine of one's own:
they are to be few. What is behind `make` is run by whoever runs these tests; those of the README have a test of their
own (`tests/test_docs.py`), and the back-ups too (`tests/compose/test_backups.py`).
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands
from websockets.sync.client import connect

from tests.markdown import blocks, section
from tests.server import Server, bare_environment
from tests.settings import ROOT

DOCS = sorted((ROOT / "docs").glob("*.md"))
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
each_page = pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
PROLOGUE = 'set -e -o pipefail; curl() { command curl --silent --show-error --fail-with-body "$@"; }\n'
PORTS = re.compile(r"(?<=localhost):(?:8080|5000|8000)\b|:9000\b")
"""Where commands look for the server: at its own port, and at those that other descriptions print."""
HTTPIE = ROOT / "tests/data/httpie"
"""Has HTTPie ask nothing of a standard input that is no terminal."""
UNDERSTOOD = {
    "up": {"--detach", "--build", "--wait", "--no-deps"},
    "exec": {"-T"},
    "run": {"--rm", "-T", "--no-deps"},
    "build": set[str](),
    "stop": set[str](),
    "restart": set[str](),
}
"""Commands of `docker compose`, and those of their options that the documentation uses."""


def commands(page: Path, language: str) -> list[str]:
    """The commands of a page, line by line, without those of `make`."""
    lines = "".join(blocks(page.read_text(), language)).splitlines()
    return [line for line in lines if line and not line.startswith("make ")]


def run(server: Server, lines: list[str]) -> str:
    """Run commands as they stand, but for the port; returns what they print."""
    here = PORTS.sub(f":{server.port}", "\n".join(lines)).replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    environment = bare_environment() | server.environment | {"HTTPIE_CONFIG_DIR": str(HTTPIE)}
    command = ["bash", "-c", PROLOGUE + here]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("page", [page for page in DOCS if commands(page, "sh")], ids=lambda page: page.name)
@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_the_commands_of_a_page_run_on_a_fresh_server(start_server: Callable[..., Server], page: Path) -> None:
    said = run(start_server(), commands(page, "sh"))
    if page.name == "tour.md":
        shown = section(page, "See it happen")
        for word in (r"\x00", r"\x01"):
            assert f"`{word}`" in shown
            assert word in said
        assert '"text":"Hello"' in said
        assert "b'offset': b'1'" in said


FIRST_CLIENTS = ROOT / "docs/first-clients.md"


def test_the_lobby_chat_goes_as_its_description_prints_it(start_server: Callable[..., Server]) -> None:
    """`websocat` is no package that could be required here: its two lines are carried out by another client."""
    server = start_server()
    connect_to, said = "".join(blocks(FIRST_CLIENTS.read_text(), "sh websocat")).splitlines()
    lines = [line for line in "".join(blocks(section(FIRST_CLIENTS, "A lobby chat"), "sh")).splitlines() if line]
    token = run(server, [*lines, "echo", "echo $TOKEN"]).split()[-1]
    program, option, address = shlex.split(connect_to)
    assert (program, option) == ("websocat", "-H=Authorization: Bearer $TOKEN")
    headers = {"Authorization": f"Bearer {token}"}
    with connect(address.replace(":8080", f":{server.port}"), additional_headers=headers) as socket:
        first, second = json.loads(socket.recv(10)), json.loads(socket.recv(10))
        assert (first["type"], first["msg"]) == ("users_online", {"list": []})
        assert (second["type"], second["msg"]) == ("user_joined", {"username": "Igor"})
        socket.send(said)
        third = json.loads(socket.recv(10))
    assert (third["type"], third["msg"]) == ("chat_message", {"from_user": "Igor", "text": "Hello!"})
    assert list(third) == ["type", "sent_at", "msg"]


def test_each_description_is_answered_as_it_prints(start_server: Callable[..., Server]) -> None:
    said = run(start_server(), commands(FIRST_CLIENTS, "sh"))
    for answer in (
        '{"$type":"login_failed"}',
        '{"$type":"login_successful","user_type":"admin"}',
        '{"$type":"pong","seq":1}',
        '{"$type":"table_list","tables":[]}',
        '{"$type":"table_added","after_id":1,"table":{"id":3,"name":"table - Foo Fighters","participants":4}}',
        '{"$type":"table_updated","table":{"id":3,"name":"table - Foo Fighters","participants":5}}',
        '{"$type":"table_removed","id":3}',
        '"text":"hello, lee"',
        '{"message":"Hello World"}',
    ):
        assert answer in said, answer


@each_page
def test_every_block_of_commands_is_of_a_kind_that_is_tested(page: Path) -> None:
    kinds = set(re.findall(r"^```(.*\b(?:sh|bash|shell|console|zsh)\b.*)$", page.read_text(), re.MULTILINE))
    assert kinds <= {"sh", "sh docker", "sh root", "sh websocat"}


def test_few_commands_can_not_be_run() -> None:
    pages = {page.name for page in DOCS for kind in ("sh docker", "sh root") if commands(page, kind)}
    assert pages == {"production.md", "tuning.md"}
    count = sum(len(commands(page, kind)) for page in DOCS for kind in ("sh docker", "sh root"))
    assert count <= 20


@each_page
@pytest.mark.parametrize("kind", ["sh docker", "sh root"])
def test_what_can_not_be_run_is_sound_for_the_shell(page: Path, kind: str) -> None:
    for text in blocks(page.read_text(), kind):
        done = subprocess.run(["bash", "-n", "-c", text], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("line", [line for page in DOCS for line in commands(page, "sh docker")])
def test_a_command_for_docker_names_services_options_and_files_that_exist(line: str) -> None:
    words = shlex.split(line)
    if words[:2] != ["docker", "compose"]:
        assert words == ["git", "pull"] or (words[0] == "cp" and (ROOT / words[1]).is_file())
        return
    command, rest = words[2], words[3:]
    options = [word for word in rest if word.startswith("-")] if command not in ("exec", "run") else leading(rest)
    assert set(options) <= UNDERSTOOD[command]
    rest = [word for word in rest[len(options) :] if word not in (">", "<")]
    named = rest[:1] if command in ("exec", "run") else rest
    assert set(named) <= set(SERVICES)
    if rest[1:3] == ["python", "manage.py"]:
        assert rest[3] in get_commands()


def leading(words: list[str]) -> list[str]:
    """The options at the front."""
    count = next(number for number, word in enumerate(words) if not word.startswith("-"))
    return words[:count]


@pytest.mark.skipif(not Path("/proc/sys").is_dir(), reason="this is not Linux")
def test_settings_of_the_kernel_that_are_named_exist() -> None:
    text = "\n".join(line for page in DOCS for line in commands(page, "sh root"))
    named = re.findall(r"\b((?:net|vm|kernel|fs)(?:\.\w+)+)=", text)
    assert named
    for name in named:
        assert Path("/proc/sys", name.replace(".", "/")).exists(), name
