"""What is refused about messages."""

from foyer.errors import Conflict, Forbidden, NotFound


class MessageNotFound(NotFound):
    code = "message_not_found"
    detail = "There is no such message."


class NotTheSender(Forbidden):
    code = "not_the_sender"
    detail = "Only its sender may edit a message; its sender, the room's moderators or an admin may delete it."


class Blocked(Forbidden):
    code = "blocked"
    detail = "This user takes no direct messages from you."


class TooManyBlocks(Conflict):
    code = "too_many_blocks"
    detail = "You block as many users as one may block. Unblock one first."
