"""What is refused about rooms."""

from config.errors import Conflict, Forbidden, NotFound


class RoomNotFound(NotFound):
    code = "room_not_found"
    detail = "There is no such room, or it is not yours to see."


class RoomNameTaken(Conflict):
    code = "room_name_taken"
    detail = "A room of that name exists."


class RoomChanged(Conflict):
    code = "room_changed"
    detail = "The room was renamed by somebody else at the same time. Look at it and try again."


class NotTheOwner(Forbidden):
    code = "not_the_owner"
    detail = "Only the room's owner or an admin may do this."
