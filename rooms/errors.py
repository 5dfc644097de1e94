"""What is refused about rooms."""

import orjson

from foyer.errors import Conflict, Forbidden, NotFound, TooManyRequests


class RoomNotFound(NotFound):
    code = "room_not_found"
    detail = "There is no such room, or it is not yours to see."


class RoomNameTaken(Conflict):
    code = "room_name_taken"
    detail = "A room of that name exists."


class RoomChanged(Conflict):
    code = "room_changed"
    detail = "The room was renamed by somebody else at the same time. Look at it and try again."


class TooManyRooms(Conflict):
    code = "too_many_rooms"
    detail = "That user is in as many rooms as one may be in, and has to leave one first."


class NotAMember(Forbidden):
    code = "not_a_member"
    detail = "Only members of the room may do this; join it, or ask one of them to add you."


class NotInRoom(NotFound):
    code = "not_in_room"
    detail = "That user is not in the room."


class Restricted(Forbidden):
    """`terms` are what a stored function says of a ban or a mute, and the user is told: until when it is and why, each
    as JSON, null for none, with a blank between them."""

    def __init__(self, terms: str = "") -> None:
        super().__init__(f"{self.detail} {lasting(*map(orjson.loads, terms.split(' ', 1)))}" if terms else "")


def lasting(until: str | None, reason: str | None) -> str:
    return f"It lasts until {until or 'it is lifted'}{f': {reason}' if reason else '.'}"


class Banned(Restricted):
    code = "banned"
    detail = "Whoever is banned from the room can neither read it nor come in."


class Muted(Restricted):
    code = "muted"
    detail = "You are muted in this room: you may read, and not write."


class SlowMode(TooManyRequests):
    """`seconds`, as text, is how long the user must wait."""

    code = "slow_mode"
    detail = "The room is in slow mode: you posted a moment ago."

    def __init__(self, seconds: str = "1") -> None:
        super().__init__(f"The room is in slow mode: you may post again in {seconds} s.", retry_after=int(seconds))


class NotAModerator(Forbidden):
    code = "not_a_moderator"
    detail = "Only the room's moderators, its owner or an admin may do this."


class NotBanned(NotFound):
    code = "not_banned"
    detail = "That user is not banned from the room, or no longer."


class NotMuted(NotFound):
    code = "not_muted"
    detail = "That user is not muted in the room, or no longer."


class PermanentRoom(Forbidden):
    code = "permanent_room"
    detail = "The lobby stays as it is; it can't be renamed, closed or deleted."


class NotTheOwner(Forbidden):
    code = "not_the_owner"
    detail = "Only the room's owner or an admin may do this."
