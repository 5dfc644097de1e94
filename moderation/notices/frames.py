"""The frame that every socket and stream hears."""

from __future__ import annotations

from foyer.realtime.connection import NOTICE
from foyer.realtime.declarations import FrameShape, channels
from moderation.notices.serializers import NoticeSerializer


class Notice(NoticeSerializer, FrameShape):
    """Something for everybody. It is told once, to those who are connected; `GET /notices` has what holds now."""


for channel in channels.values():
    channel.says(NOTICE, Notice)
