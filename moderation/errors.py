"""What is refused about reports."""

from foyer.errors import NotFound


class ReportNotFound(NotFound):
    code = "report_not_found"
    detail = "There is no such report, or it is not yours to see."
