"""The tables of the archive. That of events is written out, since Django has no partitions and no key without an id."""

from typing import Any

from django.db import migrations, models

SQLITE = [
    """
    CREATE TABLE archive_event (
        id INTEGER PRIMARY KEY,
        topic INTEGER NOT NULL,
        "offset" INTEGER NOT NULL,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        signer INTEGER,
        body TEXT,
        text TEXT,
        was TEXT,
        edited_at INTEGER,
        message INTEGER,
        peer INTEGER,
        origin INTEGER
    )
    """,
    'CREATE UNIQUE INDEX archive_event_place ON archive_event (topic, "offset")',
]
POSTGRESQL = [
    """
    CREATE TABLE archive_event (
        topic bigint NOT NULL,
        "offset" bigint NOT NULL,
        at bigint NOT NULL,
        signer bigint,
        edited_at bigint,
        message bigint,
        peer bigint,
        origin bigint,
        kind text NOT NULL,
        body text,
        text text,
        was text,
        PRIMARY KEY (topic, "offset", at)
    ) PARTITION BY RANGE (at)
    """,
]
BOTH = [
    'CREATE INDEX archive_event_peer ON archive_event (topic, peer, "offset") WHERE peer IS NOT NULL',
    "CREATE INDEX archive_event_origin ON archive_event (topic, peer, origin) WHERE origin IS NOT NULL",
    "CREATE INDEX archive_event_about ON archive_event (topic, message) WHERE message IS NOT NULL",
]


def create_events(apps: Any, schema_editor: Any) -> None:
    own = POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE
    for statement in [*own, *BOTH]:
        schema_editor.execute(statement)


def drop_events(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute("DROP TABLE IF EXISTS archive_event")


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Copied",
            fields=[
                ("topic", models.BigIntegerField(primary_key=True, serialize=False)),
                ("epoch", models.TextField()),
                ("offset", models.BigIntegerField()),
                ("at", models.BigIntegerField(default=0)),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="Owed",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "consumer", "topic", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("consumer", models.CharField(max_length=100)),
                ("topic", models.BigIntegerField()),
                ("offset", models.BigIntegerField()),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="StoreName",
            fields=[("name", models.CharField(max_length=64, primary_key=True, serialize=False))],
            options={"default_permissions": ()},
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(create_events, drop_events)],
            state_operations=[
                migrations.CreateModel(
                    name="Event",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "topic", "offset", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("topic", models.BigIntegerField()),
                        ("offset", models.BigIntegerField()),
                        ("at", models.BigIntegerField(help_text="Milliseconds since 1970.")),
                        ("kind", models.TextField()),
                        ("signer", models.BigIntegerField(null=True)),
                        ("body", models.TextField(null=True)),
                        ("text", models.TextField(null=True)),
                        ("was", models.TextField(null=True)),
                        ("edited_at", models.BigIntegerField(null=True)),
                        ("message", models.BigIntegerField(null=True)),
                        ("peer", models.BigIntegerField(null=True)),
                        ("origin", models.BigIntegerField(null=True)),
                    ],
                    options={"db_table": "archive_event", "default_permissions": ()},
                ),
            ],
        ),
    ]
