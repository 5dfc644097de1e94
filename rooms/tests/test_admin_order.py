"""Order on the page of a room in Django's admin."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Account
from accounts.tests.conftest import Api

pytestmark = pytest.mark.django_db


def test_an_admin_bans_and_mutes_on_the_page_of_a_room_and_lifts_it(ann: Api, eve: Api, admin_client: Client) -> None:
    ann.post("/rooms", {"name": "Lab"})
    order, page = "/admin/rooms/room/1/order/", "/admin/rooms/room/1/change/"
    for do, which in (("ban", "bans"), ("mute", "mutes")):
        answer = admin_client.post(order, {"do": do, "username": "eve", "reason": f"to {do}"})
        assert answer.status_code == 302
        (found,) = ann.get(f"/room/1/{which}").json()
        assert (found["username"], found["reason"], found["by"]) == ("eve", f"to {do}", "admin")
        assert f"to {do}" in admin_client.get(page).content.decode()
        admin_client.post(order, {"do": f"un{do}", "username": "eve"})
        assert ann.get(f"/room/1/{which}").json() == []
    refused = admin_client.post(order, {"do": "ban", "username": "ann"}, follow=True)
    assert "Your account may not do this." in refused.content.decode()
    assert len(ann.get("/room/1/audit").json()) == 4
    assert admin_client.post(order, {"do": "dance", "username": "eve"}).status_code == 400


def test_an_admin_names_moderators_on_the_page_of_a_room(ann: Api, eve: Api, admin_client: Client) -> None:
    ann.post("/rooms", {"name": "Lab"})
    ann.post("/room/1/members", {"username": "eve"})
    for role in ("moderator", "member"):
        admin_client.post("/admin/rooms/room/1/order/", {"do": role, "username": "eve"})
        assert ann.get("/room/1/members").json()[1]["role"] == role


def test_an_admin_without_permission_keeps_no_order(ann: Api, eve: Api, client: Client) -> None:
    ann.post("/rooms", {"name": "Lab"})
    guide = Account.objects.create_user("guide", None, is_staff=True)
    guide.groups.clear()
    client.force_login(guide)
    assert client.post("/admin/rooms/room/1/order/", {"do": "ban", "username": "eve"}).status_code == 403
    assert ann.get("/room/1/bans").json() == []
