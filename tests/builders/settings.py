"""Settings, as the environment gives them."""

import os

SAFE = {
    "PATH": os.environ["PATH"],
    "ENV_FILE": os.devnull,
    "ENVIRONMENT": "production",
    "SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz-0123456789-abc",
    "ALLOWED_HOSTS": "monitoring.example.com",
    "DATABASE_URL": "sqlite:////tmp/not-opened.sqlite3",
    "EMAIL_URL": "dummymail://",
}
