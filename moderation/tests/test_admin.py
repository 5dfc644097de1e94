"""Reports in Django's admin."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Account
from accounts.tests.conftest import Api
from moderation.models import Report


@pytest.fixture
def report(ann: Api, ben: Api, eve: Api, room: str) -> Report:
    message = eve.post("/room/1/messages", {"text": "Buy now!"}).json()["id"]
    ann.post(f"/room/1/messages/{message}/report", {"reason": "Advertising"})
    return Report.objects.get()


def test_the_queue_is_shown_and_a_report_is_closed_with_a_note(ann: Api, report: Report, admin_client: Client) -> None:
    page = admin_client.get("/admin/moderation/report/").content.decode()
    assert "Buy now!" in page
    assert "Advertising" in page
    address = f"/admin/moderation/report/{report.pk}/change/"
    assert "Buy now!" in admin_client.get(address).content.decode()
    answer = admin_client.post(address, {"becomes": "resolved", "note": "Warned"})
    assert answer.status_code == 302, answer.content
    report.refresh_from_db()
    assert (report.state, report.note) == ("resolved", "Warned")
    assert report.closed_by == Account.objects.get(username="admin")
    last = ann.get("/room/1/audit?limit=1").json()[0]
    assert (last["action"], last["note"], last["by"]) == ("report_resolved", "Warned", "admin")


def test_some_are_dismissed_together(ann: Api, report: Report, admin_client: Client) -> None:
    body = {"action": "dismiss", "_selected_action": [report.pk]}
    assert admin_client.post("/admin/moderation/report/", body).status_code == 302
    report.refresh_from_db()
    assert report.state == "dismissed"
    assert admin_client.get("/admin/moderation/report/add/").status_code == 403
