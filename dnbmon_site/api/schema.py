"""How drf-spectacular describes the API."""

from typing import Any

SCHEMA_SETTINGS: dict[str, Any] = {
    "TITLE": "D&B Monitoring",
    "DESCRIPTION": "Read companies and what changed about them, work on alerts, and manage the monitored companies.",
    "VERSION": "1",
    "TAGS": [
        {
            "name": "companies",
            "description": "Company summaries, profiles and timelines; corporate groups, the portfolio's risk, and the"
            " contract review.",
        },
        {"name": "changes", "description": "The change feed: every change, in order of publication."},
        {"name": "notifications", "description": "The notifications as D&B sent them."},
        {
            "name": "alerts",
            "description": "Alerts that your rules raised: read, acknowledge, snooze, assign and close them.",
        },
        {"name": "registrations", "description": "D&B registrations and their pull status."},
        {
            "name": "subjects",
            "description": "A subject is a company in a registration, requested by you or monitored by D&B. Pages call"
            " subjects “Monitored companies”. Add and remove them.",
        },
        {"name": "imports", "description": "Lists of D-U-N-S numbers that await confirmation or are in progress."},
        {"name": "company searches", "description": "Companies searched for at D&B by name, with their candidates."},
        {"name": "files", "description": "Files that D&B delivered: list them, upload one."},
        {"name": "references", "description": "The IDs that your other systems use for companies."},
        {"name": "decisions", "description": "Decisions on companies, with what was known then, and their tiers."},
        {"name": "exposures", "description": "Your own money at stake, by company, book and day."},
        {"name": "data fetches", "description": "Data of companies fetched from D&B: request, compare, accept."},
        {
            "name": "family trees",
            "description": "The owners and families of companies, fetched from D&B and kept by day.",
        },
        {"name": "reference data", "description": "D&B's codes and their descriptions."},
        {
            "name": "calls",
            "description": "Calls to D&B that may incur costs: the budget of each kind, and every call made.",
        },
        {"name": "webhooks", "description": "The events that webhooks can subscribe to."},
    ],
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
        "SearchState": "portfolio.models.SearchState",
        "ImportMode": "portfolio.models.ImportMode",
        "AlertState": "monitoring.models.AlertState",
        "DecisionKind": "monitoring.models.DecisionKind",
        "DecisionState": "monitoring.models.DecisionState",
        "DataFetchState": "monitoring.models.FetchState",
        "FetchedState": "monitoring.models.FetchedState",
        "TreeKind": "monitoring.models.TreeKind",
        "TreeState": "monitoring.models.TreeState",
        "CallKind": "portfolio.models.CallKind",
        "CallOutcome": "portfolio.models.CallOutcome",
        "CloseReason": "monitoring.models.CloseReason",
        "ReviewReason": "monitoring.benefit.savings.Reason",
        "SubjectValidation": "portfolio.subjects.api.subjects.VALIDATIONS",
    },
}
