"""Names and addresses are compared by newer tables: puts the keys in step with `accounts.names`, a portion at a time.

Of two accounts that have become one name both stay: the later one keeps its key, and is found by its name as written.
"""

from typing import Any

from django.db import migrations

from accounts.names import email_key, username_key

PORTION = 1000


def renew_keys(apps: Any, schema_editor: Any) -> None:
    accounts = apps.get_model("accounts", "Account").objects.using(schema_editor.connection.alias)
    after = 0
    while rows := list(accounts.filter(pk__gt=after).order_by("pk")[:PORTION]):
        for row in rows:
            keep_unless_taken(accounts, row.pk, "username_key", row.username_key, username_key(row.username))
            if row.email is not None:
                keep_unless_taken(accounts, row.pk, "email_key", row.email_key, email_key_or_none(row.email))
        after = rows[-1].pk


def keep_unless_taken(accounts: Any, pk: int, field: str, before: str, key: str | None) -> None:
    if key is None or key == before or accounts.filter(**{field: key}).exists():
        return
    accounts.filter(pk=pk).update(**{field: key})


def email_key_or_none(email: str) -> str | None:
    try:
        return email_key(email)
    except ValueError:
        return None


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_admin_pages")]
    operations = [migrations.RunPython(renew_keys, migrations.RunPython.noop, elidable=True)]
