"""What gunicorn serves."""

import os

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from gunicorn.errors import AppImportError  # type: ignore[import-untyped]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dnbmon_site.settings")

try:
    application = get_wsgi_application()
except ImproperlyConfigured as error:
    # gunicorn ends with these words alone, as manage.py does.
    raise AppImportError(str(error)) from error
