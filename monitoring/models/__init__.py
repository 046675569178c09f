"""What D&B tells us: Delivery → Notification → Change → Publication, and what stands beside them."""

from monitoring.models.alerts import (
    REOPENED,
    Alert,
    AlertComment,
    AlertItem,
    AlertKind,
    AlertState,
    CloseReason,
    DigestItem,
    content_key,
)
from monitoring.models.changes import NO_ELEMENT, NO_NOISE, Change, Entry, Kind
from monitoring.models.channels import Channel, Frequency, MailAddress, Weekday
from monitoring.models.data_fetches import BEING_WRITTEN, UNDONE, DataFetch, FetchedCompany, FetchedState, FetchState
from monitoring.models.deliveries import (
    DeadLetter,
    DeadLetterState,
    DeliveredFile,
    DeliveredKind,
    Delivery,
    DeliveryState,
    FileSource,
    FileState,
    Source,
)
from monitoring.models.elements import Element, Severity
from monitoring.models.figures import FigureCheckpoint, FigureMonth, FigureWord, WordKind
from monitoring.models.file_servers import FileServer
from monitoring.models.notifications import NO_UPDATE, Notification, NotificationType
from monitoring.models.observations import Audience, Observation, Verb
from monitoring.models.outbox import WEBHOOK_TEST, MessageState, OutboxMessage, SendAttempt, TargetKind
from monitoring.models.publications import ConsumerOffset, Publication
from monitoring.models.replay_passes import PassState, Purpose, ReplayPass
from monitoring.models.reports import ContractReview, PeriodKind, ReportRecipient, ReportRegistration, ReportSchedule
from monitoring.models.rules import AlertRule, Combination, Grouping, RuleChannel
from monitoring.models.scheduled_exports import ExportContent, FileFormat, ScheduledExport
from monitoring.models.scores import Score, ScoreChange
from monitoring.models.stats import Axis, DailyStat, DailyTotal, LatencyHistogram, Measure
from monitoring.models.webhooks import WebhookEndpoint

__all__ = [
    "REOPENED",
    "CloseReason",
    "Alert",
    "AlertComment",
    "AlertItem",
    "AlertKind",
    "AlertRule",
    "AlertState",
    "Axis",
    "BEING_WRITTEN",
    "NO_ELEMENT",
    "NO_NOISE",
    "NO_UPDATE",
    "Change",
    "Channel",
    "Combination",
    "ContractReview",
    "DailyStat",
    "DataFetch",
    "FetchState",
    "FetchedCompany",
    "FetchedState",
    "UNDONE",
    "LatencyHistogram",
    "DailyTotal",
    "DeadLetter",
    "DeadLetterState",
    "DeliveredFile",
    "DeliveredKind",
    "Delivery",
    "DeliveryState",
    "DigestItem",
    "Audience",
    "Observation",
    "OutboxMessage",
    "SendAttempt",
    "MessageState",
    "Element",
    "Entry",
    "ExportContent",
    "FigureCheckpoint",
    "FigureMonth",
    "FigureWord",
    "FileFormat",
    "FileServer",
    "FileSource",
    "FileState",
    "Grouping",
    "Kind",
    "MailAddress",
    "Measure",
    "Notification",
    "NotificationType",
    "PassState",
    "PeriodKind",
    "Publication",
    "Purpose",
    "ConsumerOffset",
    "ReplayPass",
    "ReportRecipient",
    "ReportRegistration",
    "ReportSchedule",
    "Frequency",
    "RuleChannel",
    "ScheduledExport",
    "Score",
    "ScoreChange",
    "Severity",
    "Source",
    "TargetKind",
    "Verb",
    "WEBHOOK_TEST",
    "WebhookEndpoint",
    "Weekday",
    "WordKind",
    "content_key",
]
