"""What is refused about notices."""

from foyer.errors import NotFound


class NoticeNotFound(NotFound):
    code = "notice_not_found"
    detail = "There is no such notice."
