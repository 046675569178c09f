"""Name search is a range from the prefix to the prefix + U+10FFFF: on PostgreSQL only the C collation orders it so."""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def use_c_collation(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute('ALTER TABLE portfolio_company ALTER COLUMN search_name TYPE text COLLATE "C"')


class Migration(migrations.Migration):
    dependencies = [("portfolio", "0001_initial")]
    operations = [migrations.RunPython(use_c_collation, migrations.RunPython.noop)]
