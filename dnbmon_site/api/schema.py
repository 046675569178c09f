"""How drf-spectacular describes the API."""

from typing import Any

SCHEMA_SETTINGS: dict[str, Any] = {
    "TITLE": "D&B Monitoring",
    "DESCRIPTION": "Companies under watch, what changed about them, and what to do about it.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["dnbmon_site.accounts.api_keys.IsKnown"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "dnbmon_site.api_problem_schemas.describe_problems",
        "dnbmon_site.api_problem_schemas.describe_servers",
    ],
    "ENUM_NAME_OVERRIDES": {
        "ChangeKind": "monitoring.models.Kind",
        "Severity": "monitoring.feed.serializers.SEVERITIES",
        "RegistrationState": "portfolio.models.RegistrationState",
        "SubjectState": "portfolio.models.SubjectState",
        "ImportState": "portfolio.models.ImportState",
        "ImportMode": "portfolio.models.ImportMode",
        "AlertState": "monitoring.models.AlertState",
        "SubjectValidation": "portfolio.subjects.api.VALIDATIONS",
    },
    # From the sidecar package: the pages work without the internet.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
