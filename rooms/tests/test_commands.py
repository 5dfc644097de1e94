"""Rooms by the gateway: what may be done to an owner, and what one does who left."""

from __future__ import annotations

from tests.clients import SignUp


async def test_only_an_admin_takes_the_owner_out_and_one_who_left_comes_back(sign_up: SignUp) -> None:
    ann, ben = await sign_up("ann"), await sign_up("ben")
    room = await ann.make_room(members_only=True)
    await ann.rest.post(f"/room/{room}/members", json={"username": ben.username})
    owner = {"room": room, "username": ann.username}
    async with ann.socket("/ws") as anns, ben.socket("/ws") as bens:
        for socket in (anns, bens):
            assert (await socket.next_frame())["type"] == "welcome"
        refused = await bens.ask({"id": 1, "type": "remove_member", **owner})
        assert (refused["type"], refused["code"]) == ("error", "forbidden")
        assert (await anns.ask({"id": 2, "type": "remove_member", **owner}))["type"] == "reply"
        refused = await anns.ask({"id": 3, "type": "post", "room": room, "text": "hi"})
        assert (refused["type"], refused["code"]) == ("error", "not_a_member")
        assert (await anns.ask({"id": 4, "type": "history", "room": room}))["type"] == "reply"
        assert (await anns.ask({"id": 5, "type": "add_member", **owner}))["type"] == "reply"
        assert (await anns.ask({"id": 6, "type": "post", "room": room, "text": "hi"}))["type"] == "reply"
        assert (await anns.ask({"id": 7, "type": "remove_member", **owner}))["type"] == "reply"
        assert (await anns.ask({"id": 8, "type": "delete_room", "room": room}))["type"] == "reply"


async def test_an_owner_who_left_hears_the_room_on_when_it_closes_to_strangers(sign_up: SignUp) -> None:
    ann, ben, eve = await sign_up("ann"), await sign_up("ben"), await sign_up("eve")
    room = await ann.make_room()
    await ben.rest.post(f"/room/{room}/members", json={"username": ben.username})
    await ann.rest.delete(f"/room/{room}/members/{ann.username}")
    async with ann.socket(f"/room/{room}/subscribe") as anns, eve.socket(f"/room/{room}/subscribe") as strangers:
        assert (await ann.rest.patch(f"/room/{room}", json={"members_only": True})).status_code == 200
        assert (await strangers.closed())[0] == 4403
        await ben.post(room, "among ourselves")
        assert [frame["type"] for frame in await anns.hear_many(2)] == ["room_updated", "message"]
