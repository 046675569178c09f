

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('portfolio', '0005_syncs'),
    ]

    operations = [
        migrations.AddField(
            model_name='subjectimport',
            name='confirmed_list',
            field=models.UUIDField(help_text='Owner of the bytes that name each company confirmed.', null=True),
        ),
        migrations.AddField(
            model_name='subjectimport',
            name='moved_at',
            field=models.DateTimeField(db_index=True, help_text='When somebody last worked on it.', null=True),
        ),
        migrations.AddField(
            model_name='subjectimport',
            name='note',
            field=models.TextField(blank=True, help_text='What a person should know about how it was read or undone.'),
        ),
        migrations.AlterField(
            model_name='subjectimport',
            name='source',
            field=models.CharField(default='upload', help_text='upload, paste, selection, api or command', max_length=16),
        ),
        migrations.AlterField(
            model_name='subjectimport',
            name='state',
            field=models.CharField(choices=[('uploaded', 'Waiting to be read'), ('reading', 'Being read'), ('read', 'Read: waits for confirmation'), ('awaiting_approval', 'Waits for a second person'), ('confirmed', 'Confirmed: being applied'), ('applied', 'Applied'), ('undoing', 'Being undone'), ('undone', 'Undone'), ('cancelled', 'Cancelled'), ('failed', 'Could not be read')], db_index=True, default='uploaded', max_length=20),
        ),
    ]
