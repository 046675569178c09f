"""Django's settings, all from the environment; docs/operate/configuration.md explains each name."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from dnbmon_site import mongodb
from dnbmon_site.accounts.oidc_settings import backends, read_roles, refuse_half_made
from dnbmon_site.api.schema import SCHEMA_SETTINGS
from dnbmon_site.cache import redis_cache
from dnbmon_site.dashboard.theme import BRAND
from dnbmon_site.databases import DEFAULT_URL, databases, is_mongodb
from dnbmon_site.environment import (
    kept_secret,
    named,
    read_environment,
    readable,
    trusted_origins,
    with_absolute_folder,
)
from dnbmon_site.http.content_security_policy import STRICT
from dnbmon_site.log_config import configure_structlog, logging_config
from dnbmon_site.production_checks import refuse_unsafe
from dnbmon_site.version import version

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
ENV = read_environment(BASE_DIR)

# Where we are
ENVIRONMENT: str = ENV.str("ENVIRONMENT", default="development")
if ENVIRONMENT not in ("development", "staging", "production"):
    raise ImproperlyConfigured(f"ENVIRONMENT is “{ENVIRONMENT}”; it may be development, staging or production.")
DEVELOPMENT = ENVIRONMENT == "development"
PRODUCTION = ENVIRONMENT == "production"
DEBUG: bool = ENV.bool("DEBUG", default=False)
DEMO: bool = ENV.bool("DNB_DEMO", default=False)
# Read once, so that it is what runs, whatever lies there by now.
VERSION = version()

# D&B
DNB_BASE_URL: str = ENV.str("DNB_BASE_URL", default="https://plus.dnb.com").rstrip("/")
DNB_API_KEY: str = ENV.str("DNB_API_KEY", default="")
DNB_API_SECRET: str = ENV.str("DNB_API_SECRET", default="")
DNB_TOKEN_VERSION: int = ENV.int("DNB_TOKEN_VERSION", default=2)
DNB_SUBJECT_PATH: str = ENV.str("DNB_SUBJECT_PATH", default="subjects")
DNB_CALLS_PER_SECOND: int = ENV.int("DNB_CALLS_PER_SECOND", default=5)
DNB_TIMEOUT: int = ENV.int("DNB_TIMEOUT", default=30)
# Pulling takes notifications off D&B's queue for good, so a test copy may not do it by accident.
DNB_PULL: bool = ENV.bool("DNB_PULL", default=PRODUCTION)
# Names, addresses and networks of our own that may be connected to; * for all. Otherwise nobody reaches inside by
# typing an address. The older name, for webhooks alone, still counts.
_IN_DEVELOPMENT = DEVELOPMENT or ENV.bool("WEBHOOKS_TO_PRIVATE_ADDRESSES", default=False)
PRIVATE_HOSTS: list[str] = ENV.list("PRIVATE_HOSTS", default=["*"] if _IN_DEVELOPMENT else [])
EXPORT_FOLDER = Path(ENV.str("EXPORT_FOLDER", default=str(BASE_DIR / "var" / "exports")))
FILE_INTAKE_FOLDER = Path(ENV.str("FILE_INTAKE_FOLDER", default=str(BASE_DIR / "var" / "incoming")))
BACKUP_FOLDER: str = ENV.str("BACKUP_FOLDER", default="")
# Snapshots, a hosting service: then it is no matter of ours that there is no backup.
BACKUP_ELSEWHERE: bool = ENV.bool("BACKUP_ELSEWHERE", default=False)
BACKUP_KEEP: int = ENV.int("BACKUP_KEEP", default=14)
# Days for which it is kept how the program worked; what D&B told is the contract's to keep.
RECORDS_KEEP_DAYS: int = ENV.int("RECORDS_KEEP_DAYS", default=400)
HEARTBEAT_URL: str = ENV.str("HEARTBEAT_URL", default="")

# Secrets and hosts
SECRET_KEY: str = ENV.str("SECRET_KEY", default="") or (kept_secret(VAR_DIR / "secret_key") if DEVELOPMENT else "")
ALLOWED_HOSTS: list[str] = ENV.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEVELOPMENT else [])
CSRF_TRUSTED_ORIGINS = trusted_origins(ALLOWED_HOSTS, ENV.str("SITE_URL", default=""))

if PRODUCTION:
    refuse_unsafe(
        debug=DEBUG,
        demo=DEMO,
        secret_key=SECRET_KEY,
        allowed_hosts=ALLOWED_HOSTS,
        site_url=ENV.str("SITE_URL", default=""),
        database_url=ENV.str("DATABASE_URL", default=""),
        email_url=ENV.str("EMAIL_URL", default=""),
        dnb_base_url=DNB_BASE_URL,
        redis_url=ENV.str("REDIS_URL", default=""),
        redirects=ENV.bool("SECURE_SSL_REDIRECT", default=True),
        hsts_seconds=ENV.int("SECURE_HSTS_SECONDS", default=365 * 86400),
        behind_proxy=ENV.bool("BEHIND_PROXY", default=False),
    )

# Data
with named("var", VAR_DIR):
    VAR_DIR.mkdir(exist_ok=True)
with readable("DATABASE_URL"):
    DATABASES = databases(ENV.str("DATABASE_URL", default=DEFAULT_URL))
MONGODB = is_mongodb(DATABASES["default"])
MIGRATION_MODULES = mongodb.MIGRATION_MODULES if MONGODB else {}
# Other people's models only; every key of ours is natural or a UUID.
DEFAULT_AUTO_FIELD = mongodb.OBJECT_ID if MONGODB else "django.db.models.BigAutoField"
REDIS_URL: str = ENV.str("REDIS_URL", default="")
if REDIS_URL:
    CACHES = redis_cache(REDIS_URL)

# Apps
APPS = [
    "dnbmon_site.apps.UnfoldConfig",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "django_filters",
    "django_q",
    "django_structlog",
    "axes",
    "django_countries",
    "csp",
    "core",
    "portfolio",
    "monitoring",
    "health",
    "dnbmon_site.accounts",
    "dnbmon_site",
]
INSTALLED_APPS = [mongodb.APP_CONFIGS.get(app, app) if MONGODB else app for app in APPS]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "dnbmon_site.http.content_security_policy.ContentPolicy",
    "dnbmon_site.http.middleware.Probes",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "dnbmon_site.accounts.second_factor.middleware.SecondFactorRequired",
    "dnbmon_site.http.unit_pages.UnitPages",
    "dnbmon_site.http.middleware.ReadersTimezone",
    "dnbmon_site.http.middleware.ReadersLanguage",
    "dnbmon_site.dashboard.recount.CountAfterActs",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "dnbmon_site.http.request_log.RequestLog",
    "dnbmon_site.http.moved_pages.older_queries",
    "dnbmon_site.accounts.rate_limit.ApiAnswers",
    # Last, as it asks to be: it turns the answer to one attempt too many into a page that says so.
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "dnbmon_site.urls"
WSGI_APPLICATION = "dnbmon_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# People
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
# Signing in: by password here, at the company's sign-in service (OpenID Connect), or both.
LOCAL_LOGIN: bool = ENV.bool("LOCAL_LOGIN", default=True)
OIDC_ISSUER: str = ENV.str("OIDC_ISSUER", default="")
OIDC_NAME: str = ENV.str("OIDC_NAME", default="your company's account")
OIDC_RP_CLIENT_ID: str = ENV.str("OIDC_CLIENT_ID", default="")
OIDC_RP_CLIENT_SECRET: str = ENV.str("OIDC_CLIENT_SECRET", default="")
OIDC_RP_SCOPES: str = ENV.str("OIDC_SCOPES", default="openid email profile")
OIDC_RP_SIGN_ALGO: str = ENV.str("OIDC_SIGN_ALGO", default="RS256")
OIDC_GROUPS_CLAIM: str = ENV.str("OIDC_GROUPS_CLAIM", default="groups")
OIDC_ROLES = read_roles(ENV.str("OIDC_ROLES", default=""))
OIDC_USE_PKCE = True
OIDC_TIMEOUT = 10
AUTHENTICATION_BACKENDS = backends(issuer=OIDC_ISSUER, local_login=LOCAL_LOGIN)
refuse_half_made(
    issuer=OIDC_ISSUER,
    client_id=OIDC_RP_CLIENT_ID,
    secret=OIDC_RP_CLIENT_SECRET,
    roles=OIDC_ROLES,
    local_login=LOCAL_LOGIN,
    development=DEVELOPMENT,
)

# Attempts to come in; dnbmon_site/accounts/lockout.py says how they are counted.
AXES_HANDLER = "dnbmon_site.accounts.lockout.Attempts"
AXES_CLIENT_IP_CALLABLE = "dnbmon_site.accounts.lockout.address_of"
AXES_LOCKOUT_CALLABLE = "dnbmon_site.accounts.lockout.locked"
AXES_LOCKOUT_PARAMETERS: list[Any] = [["username", "ip_address"], "username", "ip_address"]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
# Whoever keeps trying is not locked for longer: an attacker could keep somebody out for good.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_VERBOSE = False
# Its pages are ours, in the look of the others (dnbmon_site/accounts/admin/lockout.py).
AXES_ENABLE_ADMIN = False

# Time and language
LANGUAGE_CODE = "en-gb"
# What a person may choose. A language other than English is offered only with all its words in `locale/`
# (tests/dnbmon_site/test_language.py): pages half in English help nobody.
LANGUAGES = [("en-gb", "English (United Kingdom)"), ("en-us", "English (United States)")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["dnbmon_site.formats"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

# Pages. WhiteNoise finds static files where the apps keep them, so that there is no collecting step to forget.
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = True
UNFOLD: dict[str, Any] = {
    "LOGIN": {"form": "dnbmon_site.accounts.sign_in.SignInForm"},
    "SITE_TITLE": "D&B Monitoring",
    "SITE_HEADER": "D&B Monitoring",
    "SITE_SUBHEADER": _("Changes at your companies"),
    "SITE_SYMBOL": "radar",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "dnbmon_site.dashboard.theme.icon"},
        {"rel": "apple-touch-icon", "type": "image/png", "href": "dnbmon_site.dashboard.theme.apple_icon"},
        {"rel": "manifest", "type": "application/manifest+json", "href": "dnbmon_site.dashboard.theme.manifest"},
    ],
    "ENVIRONMENT": "dnbmon_site.accounts.admin.users.environment_badge",
    "DASHBOARD_CALLBACK": "dnbmon_site.dashboard.view.front_page",
    "STYLES": ["dnbmon_site.dashboard.theme.style"],
    "SCRIPTS": [
        "dnbmon_site.dashboard.theme.script",
        "dnbmon_site.dashboard.theme.keyboard",
        "dnbmon_site.dashboard.theme.install",
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "GLOBAL_CALLBACK": "dnbmon_site.dashboard.menu.frame",
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "navigation": "dnbmon_site.dashboard.menu.menu",
    },
    "ACCOUNT": {"navigation": "dnbmon_site.accounts.preferences.account_links"},
    "COLORS": BRAND,
}

# Mail
with readable("EMAIL_URL"):
    EMAIL_CONFIG: dict[str, Any] = ENV.email_url("EMAIL_URL", default="consolemail://")
    EMAIL_CONFIG = with_absolute_folder(EMAIL_CONFIG, ENV.str("EMAIL_URL", default=""))
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL: str = ENV.str("DEFAULT_FROM_EMAIL", default="dnbmon@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# Where channels may send mail to, beside each person's own address.
MAIL_DOMAINS: list[str] = ENV.list(
    "MAIL_DOMAINS", default=["*"] if DEVELOPMENT else [DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip("> ")]
)

# Jobs; docs/operate/engines.md and the comments of each line say what django-q2 does otherwise.
Q_CLUSTER: dict[str, Any] = {
    "name": "dnbmon",
    "label": _("Jobs"),
    "workers": ENV.int("WORKERS", default=2),
    "bulk": 1,
    # The lock of a task counts from the moment it is taken from the table, so few may wait in memory.
    "queue_limit": 2,
    "timeout": 300,
    "retry": 3600,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "recycle": 500,
    "max_rss": 400_000,
    # Otherwise every saved task reads all others first; a job forgets them instead.
    "save_limit": 0,
    "poll": 2,
    "log_level": ENV.str("LOG_LEVEL", default="INFO"),
} | ({"redis": REDIS_URL} if REDIS_URL else {"orm": "default", "broker_class": "dnbmon_site.worker.broker.QuietQueue"})

# API
REST_FRAMEWORK: dict[str, Any] = {
    # The first one's header goes with a 401, so keys come first.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "dnbmon_site.accounts.api_keys.KeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["dnbmon_site.accounts.api_keys.MayUse"],
    "DEFAULT_RENDERER_CLASSES": ["core.json_text.RawJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["dnbmon_site.api.parsers.BoundedJSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "dnbmon_site.api.problems.handle",
    # The format is asked for in the header only; `?format=` is a parameter like others.
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = SCHEMA_SETTINGS

# Logs
LOG_LEVEL: str = ENV.str("LOG_LEVEL", default="INFO")
configure_structlog()
LOGGING = logging_config(as_json=not DEVELOPMENT, level=LOG_LEVEL)

# Safety
if not DEVELOPMENT:
    SECURE_SSL_REDIRECT: bool = ENV.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^health/(live|ready)$", r"^metrics$"]
    SECURE_HSTS_SECONDS: int = ENV.int("SECURE_HSTS_SECONDS", default=365 * 86400)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
BEHIND_PROXY: bool = ENV.bool("BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = int(3600 * ENV.float("SESSION_HOURS", default=14 * 24 if DEVELOPMENT else 12))
CONTENT_SECURITY_POLICY = {"DIRECTIVES": STRICT}
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 25 * 1024 * 1024
IMPORT_LIMIT_MB: int = ENV.int("IMPORT_LIMIT_MB", default=50)
FILE_UPLOAD_HANDLERS = [
    "core.uploads.BoundedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
