from django.db import migrations


class Migration(migrations.Migration):
    """Nothing to do: the name of the newest migration elsewhere, so that dependencies on it hold here."""

    dependencies = [("axes", "0001_initial")]
    operations = []
