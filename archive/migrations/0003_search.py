"""What messages are found by. `archive/index.py` says how it is kept; here it is made, for what is archived already."""

from typing import Any

from django.db import migrations

PORTION = 5000
SQLITE = [
    """
    CREATE VIRTUAL TABLE archive_search
    USING fts5(words, content='', columnsize=0, detail=none, tokenize="ascii tokenchars '@'")
    """,
    "CREATE TABLE archive_latest (id INTEGER PRIMARY KEY, at INTEGER NOT NULL)",
]
SIGNS = (".", ",", "!", "?", "''", '"', "-", ":", "/", "(", ")", "@", "\n")
CLEANED = 'lower(said COLLATE "C")'
for sign in SIGNS:  # a regular expression takes five times as long
    CLEANED = f"replace({CLEANED}, '{sign}', ' ')"
FUNCTION = f"""
CREATE FUNCTION archive_lexemes(said text, words text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000 AS $$
DECLARE
    found text[];
BEGIN
    IF said IS NULL OR said = '' THEN
        RETURN NULL;
    END IF;
    IF words IS NULL OR left(words, 1) = '+' THEN
        found := string_to_array({CLEANED}, ' ');
    ELSIF left(words, 1) = '~' THEN
        found := regexp_split_to_array(lower(said COLLATE "C"), '[^a-z0-9]+') || ARRAY(
            SELECT one || following FROM (
                SELECT one, lead(one) OVER (ORDER BY place) AS following
                FROM unnest(string_to_array(said, NULL)) WITH ORDINALITY AS characters (one, place)
            ) AS pairs
            WHERE octet_length(one) > 2 AND octet_length(following) > 2
        );
    END IF;
    IF words IS NOT NULL THEN
        found := found || string_to_array(substr(words, 3), ' ');
    END IF;
    RETURN array_to_tsvector(array_remove(found, ''));
END
$$
"""  # noqa: S608
POSTGRESQL = [
    "ALTER TABLE archive_event ADD COLUMN words text",
    FUNCTION,
]
INDEX = "CREATE INDEX archive_event_search ON archive_event USING gin (archive_lexemes(text, words))"
"""Not of messages alone: of a partial index the planner takes no statistics, and without them its guesses are far off."""


def create_index(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for statement in POSTGRESQL:
            schema_editor.execute(statement)
        add_words(schema_editor.connection)
        schema_editor.execute(INDEX)
    else:
        for statement in SQLITE:
            schema_editor.execute(statement)
        add_texts(schema_editor.connection)


def add_words(connection: Any) -> None:
    from archive.index import words_of

    topic, offset = -1, 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                'SELECT topic, "offset", text FROM archive_event WHERE (topic, "offset") > (%s, %s)'
                " AND kind IN ('message', 'direct_message') AND text <> ''"
                ' ORDER BY topic, "offset" LIMIT %s',
                [topic, offset, PORTION],
            )
            rows = cursor.fetchall()
            if not rows:
                return
            topic, offset, _ = rows[-1]
            words = [(words_of(text), *place) for *place, text in rows]
            cursor.executemany(
                'UPDATE archive_event SET words = %s WHERE topic = %s AND "offset" = %s',
                [row for row in words if row[0] is not None],
            )


def add_texts(connection: Any) -> None:
    from archive.index import note_latest, put_in

    last = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT id, topic, text FROM archive_event"
                " WHERE id > %s AND kind IN ('message', 'direct_message') AND text <> '' ORDER BY id LIMIT %s",
                [last, PORTION],
            )
            rows = cursor.fetchall()
            if not rows:
                return
            last = rows[-1][0]
            put_in(cursor, rows)
            note_latest(cursor, last)


def drop_index(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX archive_event_search")
        schema_editor.execute("DROP FUNCTION archive_lexemes(text, text)")
        schema_editor.execute("ALTER TABLE archive_event DROP COLUMN words")
    else:
        schema_editor.execute("DROP TABLE archive_search")
        schema_editor.execute("DROP TABLE archive_latest")


class Migration(migrations.Migration):
    dependencies = [("archive", "0002_admin_page")]

    operations = [migrations.RunPython(create_index, drop_index)]
