"""Rules for usernames and email addresses, and the keys by which they are compared."""

from __future__ import annotations

import regex
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from foyer.text import JOINERS, is_blank, is_printable, key_of, normal, without_unseen

USERNAME_LENGTH = 64
EMAIL_LENGTH = 254
KEY_LENGTH = 512
"""Characters. Folding makes a name longer, a username three times at most; an address that outgrows this is refused."""

NOT_PRINTABLE = regex.compile(rf"[[\p{{C}}\p{{Zl}}\p{{Zp}}]--{JOINERS}]", regex.V1)
"""Characters that no username has: they could make it look like another one, such as a change of direction."""
DOTS = frozenset({".", ".."})


def normal_username(text: str) -> str:
    """`text` as it is stored. Raises `ValueError` with a sentence on what is wrong."""
    name = earlier_username(text)
    if ":" in name:
        raise ValueError("A username has no ':', which HTTP Basic can't say.")
    if name in DOTS:
        raise ValueError("A username is not '.' or '..', which addresses can't say.")
    return name


def earlier_username(text: str) -> str:
    """As `normal_username`, by the rules that older accounts were named by: they keep their names."""
    name = normal(text)
    if not 1 <= len(name) <= USERNAME_LENGTH:
        raise ValueError(f"A username has 1 to {USERNAME_LENGTH} characters, this one {len(name)}.")
    if NOT_PRINTABLE.search(name) or not is_printable(name):
        raise ValueError("A username has printable characters only.")
    if "/" in name:
        raise ValueError("A username has no '/'.")
    if is_blank(name):
        raise ValueError("A username has characters that can be seen.")
    if (visible := without_unseen(name)) != visible.strip():
        raise ValueError("A username has no blank at its start or end.")
    return name


def validate_username(text: str) -> None:
    """`normal_username` for fields of models and forms, which expect a `ValidationError`."""
    try:
        normal_username(text)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def username_key(text: str) -> str | None:
    """The key by which usernames are compared; None for a text that can't be a username."""
    try:
        return key_of(earlier_username(text))
    except ValueError:
        return None


def email_key(text: str) -> str:
    """The key by which addresses are compared. Raises `ValueError` with a sentence if it is no address."""
    key = key_of(text)
    try:
        validate_email(text)
    except ValidationError:
        raise ValueError("This is not a valid email address.") from None
    if len(text) > EMAIL_LENGTH or len(key) > KEY_LENGTH:
        raise ValueError(f"An email address has at most {EMAIL_LENGTH} characters.")
    return key
