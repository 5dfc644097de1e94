"""What a username and an email address may be, and what each is compared by."""

from __future__ import annotations

import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

USERNAME_LENGTH = 64
EMAIL_LENGTH = 254
KEY_LENGTH = 512
"""Characters. Folding makes a name longer, a username three times at most; an address that outgrows this is refused."""

UNSEEN = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f" + "".join(
    map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
)
"""Characters that count as printable and yet leave no mark: selectors of variants, fillers, joiners."""
WITHOUT_UNSEEN = dict.fromkeys(map(ord, UNSEEN))


def folded(text: str) -> str:
    """What texts are compared by: the same for any case, composition, width and for marks that nobody sees."""
    visible = unicodedata.normalize("NFKC", text).translate(WITHOUT_UNSEEN)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible.casefold()).casefold())


def normal_username(text: str) -> str:
    """`text` as it is stored. Raises `ValueError` with a sentence on what is wrong."""
    name = unicodedata.normalize("NFKC", text)
    if not 1 <= len(name) <= USERNAME_LENGTH:
        raise ValueError(f"A username has 1 to {USERNAME_LENGTH} characters, this one {len(name)}.")
    if not name.isprintable():
        raise ValueError("A username has printable characters only.")
    if "/" in name:
        raise ValueError("A username has no '/'.")
    if name != name.strip():
        raise ValueError("A username has no blank at its start or end.")
    if not folded(name):
        raise ValueError("A username has characters that can be seen.")
    return name


def validate_username(text: str) -> None:
    """`normal_username` for fields of models and forms, which expect a `ValidationError`."""
    try:
        normal_username(text)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def username_key(text: str) -> str | None:
    """What usernames are compared by; None for a text that is no username, so that nobody has it."""
    try:
        return folded(normal_username(text))
    except ValueError:
        return None


def email_key(text: str) -> str:
    """What addresses are compared by. Raises `ValueError` with a sentence for what is no address."""
    key = folded(text)
    try:
        validate_email(text)
    except ValidationError:
        raise ValueError("This is not a valid email address.") from None
    if len(text) > EMAIL_LENGTH or len(key) > KEY_LENGTH:
        raise ValueError(f"An email address has at most {EMAIL_LENGTH} characters.")
    return key
