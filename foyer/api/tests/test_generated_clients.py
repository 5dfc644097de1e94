"""Clients that generators make of the OpenAPI document compile, and speak with the server."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.clients import PASSWORD
from tests.server import Server
from tests.settings import ROOT

DOCUMENT = ROOT / "schema.yml"
NPM_PACKAGES = ("openapi-typescript@7.13.0", "typescript@5.9.3")
BIG = 2**53 - 1


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def tool(name: str) -> Path:
    """A command that a package of requirements-dev.txt brought."""
    return Path(sys.executable).parent / name


@pytest.fixture(scope="module")
def rest(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.base_url, auth=("admin", "admin"), timeout=30, trust_env=False) as admin:
        yield admin


def test_openapi_python_client(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.yml").write_text(
        "post_hooks: []\ncontent_type_overrides:\n  application/x-ndjson: text/plain\n"
    )
    said = run(
        tool("openapi-python-client"), "generate", "--path", DOCUMENT, "--output-path", "generated_client",
        "--meta", "none", "--config", "config.yml", "--fail-on-warning",
        cwd=tmp_path,
    )  # fmt: skip
    assert "warning" not in said.lower()
    monkeypatch.syspath_prepend(str(tmp_path))
    models, client = import_module("generated_client.models"), import_module("generated_client.client")
    ids = re.findall(r"operationId: (\w+)", DOCUMENT.read_text())
    made = {module.stem: module for module in tmp_path.glob("generated_client/api/*/*.py")}
    assert {re.sub("([A-Z])", r"_\1", name).lower() for name in ids} <= set(made)

    def call(name: str, caller: Any, **arguments: Any) -> Any:
        return import_module(f"generated_client.api.{made[name].parent.name}.{name}").sync(client=caller, **arguments)

    name = f"generated-{secrets.token_hex(4)}"
    guest = client.Client(server.base_url, raise_on_unexpected_status=True)
    data = models.NewAccountData.from_dict({"big": BIG})
    account = call("sign_up", guest, body=models.NewAccount(username=name, password=PASSWORD, data=data))
    assert isinstance(account, models.Account)
    assert account.data.additional_properties == {"big": BIG}
    session = call("sign_in", guest, body=models.Credentials(username=name, password=PASSWORD))
    me = client.AuthenticatedClient(server.base_url, session.token, raise_on_unexpected_status=True)
    room = call("create_room", me, body=models.NewRoom(name=f"Room of {name}"), idempotency_key=name)
    message = call("create_message", me, room_id=room.room_id, body=models.MessageInput(text="hi"))
    assert (message.text, message.sender, message.edited_at) == ("hi", name, None)
    assert call("list_messages", me, room_id=room.room_id, limit=10) == [message]
    assert [one.last_message for one in call("list_rooms", me, member=models.ListRoomsMember.ME)] != [None]
    refused = call("get_room", me, room_id="999999")
    assert (type(refused), refused.code) == (models.Error, "room_not_found")
    assert call("list_tables", me).type_ == models.TableListType.TABLE_LIST


def test_datamodel_code_generator(tmp_path: Path, rest: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    run(
        tool("datamodel-codegen"), "--input", DOCUMENT, "--input-file-type", "openapi", "--strict-nullable",
        "--output", "generated_models.py", "--output-model-type", "pydantic_v2.BaseModel", "--formatters", "builtin",
        cwd=tmp_path,
    )  # fmt: skip
    monkeypatch.syspath_prepend(str(tmp_path))
    models = import_module("generated_models")
    shapes = yaml.safe_load(DOCUMENT.read_text())["components"]["schemas"]
    assert all(hasattr(models, name) for name in shapes)

    def check(kind: str, answer: httpx.Response) -> Any:
        assert answer.is_success, answer.text
        return getattr(models, kind).model_validate_json(answer.content)

    wanted = models.NewRoom(name=f"Models {secrets.token_hex(4)}").model_dump(mode="json", exclude_unset=True)
    room = check("Room", rest.post("/rooms", json=wanted))
    message = check("Message", rest.post(f"/room/{room.roomId}/messages", json={"text": "hi"}))
    assert (message.id, message.edited_at) == (1, None)
    assert check("Account", rest.get("/user/admin")).user_type.value == "admin"
    new_table = models.NewTable(table=models.TableInput(id=BIG, name="last", participants=BIG))
    added = check("TableAdded", rest.post("/lobby_api/tables", json=new_table.model_dump(exclude_unset=True)))
    assert (added.table.id, added.table.participants) == (BIG, BIG)
    check("TableList", rest.get("/lobby_api/tables"))
    rest.delete(f"/lobby_api/tables/{BIG}")


USE = """\
import type { components, operations } from "./api";

declare const process: { argv: string[] };
type Schemas = components["schemas"];
type Room = Schemas["Room"];
type Made = operations["createRoom"]["responses"][201]["content"]["application/json"];
type Named = %s;

// @ts-expect-error a room has more than a name
export const incomplete: Room = { name: "x" };
// @ts-expect-error there is no such member
export const other: Room["colour"] = "red";
export const nobodys: Room["owner"] = null;
export const operation: Named = "createRoom";

const [base, name] = process.argv.slice(2);
const credentials: Schemas["NewAccount"] = { username: name!, password: "correct horse" };
const headers = { "Content-Type": "application/json" };

async function send<Answer>(path: string, body: object, token?: string): Promise<Answer> {
  const authorization = token ? { Authorization: `Bearer ${token}` } : undefined;
  const answer = await fetch(base + path, {
    method: "POST", headers: { ...headers, ...authorization }, body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(((await answer.json()) as Schemas["Error"]).code);
  return (await answer.json()) as Answer;
}

async function main(): Promise<void> {
  await send<Schemas["Account"]>("/user", credentials);
  const session = await send<Schemas["Session"]>("/auth", credentials satisfies Schemas["Credentials"]);
  const wanted: Schemas["NewRoom"] = { name: `Room of ${name}`, members_only: true };
  const room = await send<Made>("/rooms", wanted, session.token);
  console.log(JSON.stringify({ owner: room.owner satisfies string | null, members_only: room.members_only }));
}

main();
"""


def test_openapi_typescript(tmp_path: Path, server: Server) -> None:
    """Skips where there is no npm; under CI that is a failure."""
    npm = shutil.which("npm")
    if npm is None:
        missing = "There is no 'npm' on the PATH; Debian's packages are 'nodejs' and 'npm'."
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    (tmp_path / "package.json").write_text('{"private": true, "type": "commonjs"}')
    run(npm, "install", "--no-audit", "--no-fund", "--prefer-offline", *NPM_PACKAGES, cwd=tmp_path)
    run("node_modules/.bin/openapi-typescript", DOCUMENT, "--output", "api.d.ts", cwd=tmp_path)
    ids = re.findall(r"operationId: (\w+)", DOCUMENT.read_text())
    (tmp_path / "use.ts").write_text(USE % " | ".join(f'keyof Pick<operations, "{name}">' for name in ids))
    options = ("--strict", "--target", "es2022", "--module", "commonjs")
    run("node_modules/.bin/tsc", *options, "use.ts", cwd=tmp_path)
    name = f"typed-{secrets.token_hex(4)}"
    said = run("node", "use.js", server.base_url, name, cwd=tmp_path)
    assert json.loads(said) == {"owner": name, "members_only": True}
