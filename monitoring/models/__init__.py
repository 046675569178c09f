"""What D&B tells us: Delivery → Notification → Change → Publication, and what stands beside them."""

from monitoring.models.alerts import (
    AWAKE,
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
from monitoring.models.figures import FigureCheckpoint, FigureMonth, FigureState, FigureWord, WordKind
from monitoring.models.file_servers import FileServer
from monitoring.models.from_dnb.data_fetches import (
    BEING_WRITTEN,
    UNDONE,
    DataFetch,
    FetchedCompany,
    FetchedState,
    FetchState,
)
from monitoring.models.from_dnb.family_trees import FamilyTree, FamilyTreeMember, TreeKind, TreeState
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
from monitoring.models.workflow.decisions import Decision, DecisionKind, DecisionState, DueReview, Review
from monitoring.models.workflow.follows import Follow, FollowKind, NotificationPreference, PersonalEvent
from monitoring.models.workflow.response_times import ResponseTime
from monitoring.models.workflow.review_settings import ReviewSettings
from monitoring.models.workflow.tiers import TierImport, TierRule

__all__ = [
    "AWAKE",
    "Alert",
    "AlertComment",
    "AlertItem",
    "AlertKind",
    "AlertRule",
    "AlertState",
    "Audience",
    "Axis",
    "BEING_WRITTEN",
    "Change",
    "Channel",
    "CloseReason",
    "Combination",
    "ConsumerOffset",
    "ContractReview",
    "DailyStat",
    "DailyTotal",
    "DataFetch",
    "DeadLetter",
    "DeadLetterState",
    "Decision",
    "DecisionKind",
    "DecisionState",
    "DeliveredFile",
    "DeliveredKind",
    "Delivery",
    "DeliveryState",
    "DigestItem",
    "DueReview",
    "Element",
    "Entry",
    "ExportContent",
    "FamilyTree",
    "FamilyTreeMember",
    "FetchState",
    "FetchedCompany",
    "FetchedState",
    "FigureCheckpoint",
    "FigureMonth",
    "FigureState",
    "FigureWord",
    "FileFormat",
    "FileServer",
    "FileSource",
    "FileState",
    "Follow",
    "FollowKind",
    "Frequency",
    "Grouping",
    "Kind",
    "LatencyHistogram",
    "MailAddress",
    "Measure",
    "MessageState",
    "NO_ELEMENT",
    "NO_NOISE",
    "NO_UPDATE",
    "Notification",
    "NotificationPreference",
    "NotificationType",
    "Observation",
    "OutboxMessage",
    "PassState",
    "PeriodKind",
    "PersonalEvent",
    "Publication",
    "Purpose",
    "REOPENED",
    "ReplayPass",
    "ReportRecipient",
    "ReportRegistration",
    "ReportSchedule",
    "ResponseTime",
    "Review",
    "ReviewSettings",
    "RuleChannel",
    "ScheduledExport",
    "Score",
    "ScoreChange",
    "SendAttempt",
    "Severity",
    "Source",
    "TargetKind",
    "TierImport",
    "TierRule",
    "TreeKind",
    "TreeState",
    "UNDONE",
    "Verb",
    "WEBHOOK_TEST",
    "WebhookEndpoint",
    "Weekday",
    "WordKind",
    "content_key",
]
