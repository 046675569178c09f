"""What gunicorn serves."""

import os

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from gunicorn.errors import AppImportError  # type: ignore[import-untyped]

from dnbmon_site.http.unread_body import MIB, taking_all

# Beside the largest file, what a form holds besides; as in deploy/nginx.conf.
MORE = 10 * MIB

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dnbmon_site.settings")

try:
    application = taking_all(get_wsgi_application(), settings.IMPORT_LIMIT_MB * MIB + MORE)
except ImproperlyConfigured as error:
    # gunicorn ends with these words alone, as manage.py does.
    raise AppImportError(str(error)) from error
