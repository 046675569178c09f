"""What MongoDB needs of other people's apps: their models with its kind of key, and migrations that make them.

Only names stand here, because the settings read them before any app can be imported.
"""

APP_CONFIGS = {
    "django.contrib.admin": "dnbmon_site.mongodb.apps.MongoAdminConfig",
    "django.contrib.auth": "dnbmon_site.mongodb.apps.MongoAuthConfig",
    "django.contrib.contenttypes": "dnbmon_site.mongodb.apps.MongoContentTypesConfig",
    "axes": "dnbmon_site.mongodb.apps.MongoAxesConfig",
    "django_q": "dnbmon_site.mongodb.apps.MongoDjangoQConfig",
}
MIGRATION_MODULES = {
    label: f"dnbmon_site.mongodb.migrations.{label}" for label in ("admin", "auth", "axes", "contenttypes", "django_q")
}
OBJECT_ID = "django_mongodb_backend.fields.ObjectIdAutoField"
