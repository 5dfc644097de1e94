"""The page of the admin about the archive, and the permission to see it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("archive", "0001_initial")]

    operations = [
        migrations.AlterModelOptions(
            name="copied",
            options={
                "default_permissions": ("view",),
                "verbose_name": "archive",
                "verbose_name_plural": "archive",
            },
        ),
    ]
