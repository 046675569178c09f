import django.core.validators
import django.db.models.deletion
import core.ids
from django.db import migrations, models


def back_to_the_first_person(apps, schema_editor):
    """What waits for a second person was confirmed under a name, which no longer tells two persons apart."""
    imports = apps.get_model("portfolio", "SubjectImport").objects.filter(state="awaiting_approval")
    for row in imports.iterator():
        row.state, row.position = "read", row.total or 0
        row.confirmed_by, row.confirmed_at = "", None
        row.save(update_fields=["state", "position", "confirmed_by", "confirmed_at"])
    proposals = apps.get_model("portfolio", "Proposal").objects.filter(state="awaiting_approval")
    proposals.update(state="open", confirmed_by="")


class Migration(migrations.Migration):

    dependencies = [
        ('portfolio', '0016_order_of_one_moment'),
    ]

    operations = [
        migrations.AddField(
            model_name='auditentry',
            name='actor_id',
            field=models.UUIDField(help_text='The id behind the name, which stays when the name changes.', null=True),
        ),
        migrations.AddField(
            model_name='proposal',
            name='confirmer_id',
            field=models.UUIDField(help_text='The same person by its id.', null=True),
        ),
        migrations.AddField(
            model_name='subjectimport',
            name='confirmer_id',
            field=models.UUIDField(help_text="Who confirmed it, by the person's id.", null=True),
        ),
        migrations.AddField(
            model_name='subjectimport',
            name='remove_on',
            field=models.DateField(help_text='The day from which what it removes is no longer wanted.', null=True),
        ),
        migrations.AddField(
            model_name='subjectimport',
            name='undo_asked_by',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='subjectimport',
            name='undo_asker_id',
            field=models.UUIDField(help_text="Who wants it undone, by the person's id.", null=True),
        ),
        migrations.AlterField(
            model_name='subjectimport',
            name='state',
            field=models.CharField(choices=[('uploaded', 'Waiting to be read'), ('reading', 'Being read'), ('read', 'Read: waits for confirmation'), ('awaiting_approval', 'Waits for a second person'), ('confirmed', 'Confirmed: being applied'), ('applied', 'Applied'), ('awaiting_undo', 'Undoing waits for a second person'), ('undoing', 'Being undone'), ('undone', 'Undone'), ('cancelled', 'Cancelled'), ('failed', 'Could not be read')], db_index=True, default='uploaded', max_length=20),
        ),
        migrations.AlterField(
            model_name='contract',
            name='cap',
            field=models.PositiveIntegerField(default=100, help_text='New billable companies that one person may add in a contract year; above it a second one must approve.', verbose_name='cap'),
        ),
        migrations.AlterField(
            model_name='contract',
            name='removal_share',
            field=models.PositiveSmallIntegerField(default=10, help_text='Percent of a list that one person may remove within 30 days; above it a second one must approve.', validators=[django.core.validators.MaxValueValidator(100)], verbose_name='removal share'),
        ),
        migrations.CreateModel(
            name='SoloAct',
            fields=[
                ('id', models.UUIDField(default=core.ids.time_first_id, editable=False, primary_key=True, serialize=False)),
                ('actor_id', models.UUIDField()),
                ('additions', models.PositiveIntegerField(default=0, help_text='New billable companies.')),
                ('removals', models.PositiveIntegerField(default=0, help_text='Companies no longer monitored.')),
                ('at', models.DateTimeField()),
                ('registration', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='portfolio.registration')),
            ],
            options={
                'default_permissions': (),
                'indexes': [models.Index(fields=['actor_id', 'registration', 'at'], name='solo_act_by_person')],
            },
        ),
        migrations.RunPython(back_to_the_first_person, migrations.RunPython.noop),
    ]
