"""Django signals about accounts, for other apps."""

from __future__ import annotations

from django.dispatch import Signal

suspension_changed = Signal()
"""Sent once an account was suspended, or a suspension lifted before its time: `account`; `by`, the caller or None;
`suspension`, None if it was lifted. The sender is the class `Account`."""
