"""What is refused about messages."""

from foyer.errors import Forbidden, NotFound


class MessageNotFound(NotFound):
    code = "message_not_found"
    detail = "There is no such message."


class NotTheSender(Forbidden):
    code = "not_the_sender"
    detail = "Only its sender may edit a message; its sender, the room's moderators or an admin may delete it."
