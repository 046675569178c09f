"""The form of an alert rule: names and rows that write the rule's texts, and each mistake at its field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_countries import countries
from unfold.widgets import (
    INPUT_CLASSES,
    SELECT_CLASSES,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminTextareaWidget,
)

from core.actors import person_text
from core.admin.boxes import Boxes, OwnTemplate, TextBoxes
from core.templatetags.core import what_is
from monitoring.alerts.conditions import OPERATORS, WITHOUT_VALUE, shown_value, written_value
from monitoring.alerts.rules import mistakes_in, split
from monitoring.elements.groups import grouped_choices
from monitoring.history.score_series import ASSESSMENT
from monitoring.models import AlertRule, Channel, Element, Kind, RuleChannel, content_key
from portfolio.models import Registration

MOST_ELEMENTS = 500
EMPTY_ROWS = 2
HINTS: Mapping[str, Promise] = {
    "nationalPercentile": _("percentile 1–100; higher means lower risk"),
    "classScore": _("class 1–5; higher means higher risk"),
    "rawScore": _("D&B raw score; higher means lower risk"),
}
KINDS = [(kind.value, kind.label) for kind in Kind if kind not in (Kind.BASELINE, Kind.UNKNOWN)]
LABELS: dict[str, tuple[Any, Any]] = {
    "severity": (_("Severity"), _("Severity of the alerts this rule raises.")),
    "companies": (
        _("Companies"),
        _(
            "D-U-N-S numbers, separated by commas or on separate lines. Text after "
            "# is a comment. Leave empty to include all companies."
        ),
    ),
    "tags": (_("Tags"), _("Separated by commas. Leave empty to include all.")),
    "group_only": (
        _("Only members of a monitored group"),
        _(
            "Includes only companies of a corporate group in which you monitor other companies. Their owners "
            "are notified, too."
        ),
    ),
    "combination": (_("Match"), ""),
    "notify_owner": (
        _("Notify company owner"),
        _(
            "The user or email address entered as the owner of the company: each is notified of their own companies "
            "only."
        ),
    ),
    "grouping": (_("Grouping"), ""),
    "escalate_to": (
        _("Escalate to"),
        _("Receives alerts of this rule that are overdue. Leave empty to use the default of the severity."),
    ),
    "quiet_from": (_("Quiet hours from"), _("Messages are held until the quiet hours end.")),
    "quiet_until": (_("Quiet hours until"), ""),
    "quiet_zone": (_("Time zone of the quiet hours"), _("For example, Europe/Berlin.")),
}


class ElementsWidget(OwnTemplate, UnfoldAdminTextareaWidget):  # type: ignore[misc]
    """Data elements by their names in groups; paths with wildcards, and others than those, under “Advanced”."""

    template_name = "monitoring/alerts/elements_widget.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        found = grouped_choices(Element.objects.order_by("path").values_list("path", "label")[:MOST_ELEMENTS])
        choices = [(group, [(path, with_scale(path, label)) for path, label in paths]) for group, paths in found]
        named = {path for _group, paths in choices for path, _label in paths}
        lines = _lines_of(value)
        picker = UnfoldAdminSelect2MultipleWidget({"id": f"id_{name}_picked", "aria-label": gettext("Data elements")})
        picker.choices = choices
        advanced = "\n".join(line for line in lines if line not in named)
        context = super().get_context(name, advanced, attrs)
        picked = picker.render(f"{name}_picked", [line for line in lines if line in named])
        return {**context, "picker": picked, "has_advanced": bool(advanced)}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        """The written lines come first: a mistake's line number is theirs."""
        picked = data.getlist(f"{name}_picked") if hasattr(data, "getlist") else []
        return "\n".join([*_lines_of(data.get(name)), *picked])

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data and f"{name}_picked" not in data

    @property
    def media(self) -> forms.Media:
        picker: forms.Media = UnfoldAdminSelect2MultipleWidget().media
        return picker + forms.Media(css={"all": ["dnbmon/alerts.css"]})


def _lines_of(text: str | None) -> list[str]:
    return [line.rstrip() for line in (text or "").splitlines()] if (text or "").strip() else []


def with_scale(path: str, label: str | Promise) -> str:
    """A score with the meaning of its numbers, so that it is told apart from the others of its name."""
    if path.endswith("Score") and path.startswith(f"{ASSESSMENT}."):
        return gettext("%(score)s: any of its values") % {"score": label}
    hint = HINTS.get(path.rpartition(".")[2])
    return gettext("%(element)s: %(scale)s") % {"element": label, "scale": hint} if hint else str(label)


class ConditionsWidget(OwnTemplate, forms.Widget):
    """Rows of an operator and a value, written as lines."""

    template_name = "monitoring/alerts/conditions_widget.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        rows = rows_of(value or "")
        return {
            **super().get_context(name, value, attrs),
            "rows": [
                (number, operator, shown_value(operator, text), _choices(operator))
                for number, (operator, text) in enumerate([*rows, *[("", "")] * EMPTY_ROWS], 1)
            ],
            "without_value": WITHOUT_VALUE,
            # Without any, one is shown: a new user finds there what a rule can ask.
            "first_empty": max(len(rows), 1) + 1,
            "select_classes": " ".join(SELECT_CLASSES),
            "input_classes": " ".join(INPUT_CLASSES),
        }

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        if name in data:
            return str(data[name])
        operators, values = data.getlist(f"{name}_operator"), data.getlist(f"{name}_value")
        rows = [
            (operator, written_value(operator, " ".join(text.split())))
            for operator, text in zip(operators, values, strict=False)
        ]
        lines = [f"{operator} {text}".strip() for operator, text in rows if operator or text]
        return "\n".join(lines)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data and f"{name}_operator" not in data


def _choices(operator: str) -> list[tuple[str, str | Promise]]:
    known = list(OPERATORS.items())
    return known if operator in OPERATORS or not operator else [*known, (operator, operator)]


def rows_of(text: str) -> list[tuple[str, str]]:
    """Each line as operator and value; what begins with no operator stands as a value."""
    return [_row(line.strip()) for line in text.splitlines() if line.strip()]


def _row(line: str) -> tuple[str, str]:
    for operator in sorted(OPERATORS, key=len, reverse=True):
        if line.lower() == operator or line.lower().startswith(operator + " "):
            return operator, line[len(operator) :].strip()
    return "", line


class ChannelsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # Django's takes no parameter either
    """Each with its owner, as two may have the same name."""

    def label_from_instance(self, obj: Any) -> str:
        owner = str(obj.person) if obj.person else gettext("shared")
        return gettext("%(channel)s (%(owner)s)") % {"channel": obj.name, "owner": owner}


def _about_kinds() -> SafeString:
    """D&B's words for who is monitored are read as acts of one's own."""
    words = gettext(
        "Leave empty to include all types. “Left the monitored set” and “Entered the monitored set”: D&B stopped or "
        "resumed monitoring the company. “Removed from monitoring”: D&B took it off the list, normally at your request."
    )
    return format_html("{} {}", words, what_is(gettext("left the monitored set"), "left"))


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter when it runs
    kinds = TextBoxes(label=_("Change types"), choices=KINDS, required=False)
    elements = forms.CharField(
        widget=ElementsWidget(attrs={"rows": 4, "spellcheck": "false"}),
        required=False,
        label=_("Data elements"),
        help_text=_(
            "Leave empty to include all data elements. An address or a score includes all its parts. "
            "“Open” in a name means a case that is not closed yet."
        ),
    )
    conditions = forms.CharField(
        label=_("Conditions"),
        widget=ConditionsWidget,
        required=False,
        help_text=_(
            "Leave empty to include any change. You can enter D&B's code or its description: 403 and Out of business "
            "are the same status. “All conditions” must be met by the same data element."
        ),
    )
    registrations = TextBoxes(
        label=_("Registrations"), required=False, help_text=_("Leave empty to include all registrations.")
    )
    countries = TextBoxes(
        label=_("Countries"),
        required=False,
        widget=UnfoldAdminSelect2MultipleWidget,
        help_text=_("Leave empty to include all countries."),
    )
    notify_users = TextBoxes(
        label=_("Notify users"),
        required=False,
        widget=UnfoldAdminSelect2MultipleWidget,
        help_text=_("Each receives the alerts that they may view, by email or by their own channels."),
    )
    channels = ChannelsField(
        Channel.objects.none(),
        label=_("Channels"),
        required=False,
        widget=Boxes(add=("admin:monitoring_channel_add", _("Add channel"))),
        help_text=_("Channels that receive alerts from all rules need not be selected."),
    )

    class Meta:
        model = AlertRule
        fields = (
            *("name", "description", "active", "severity", "kinds", "elements", "combination", "conditions"),
            *("registrations", "companies", "tags", "countries", "min_exposure", "group_only", "grouping"),
            *(
                "notify_owner",
                "notify_users",
                "channels",
                "escalate_to",
                "quiet_from",
                "quiet_until",
                "quiet_zone",
                "unit",
            ),
        )

    # Set by the admin: the channels that this person may use.
    usable: QuerySet[Channel] = Channel.objects.none()
    # And the users whom they may name.
    people: Sequence[Any] = ()
    # By field: those whom they look for without finding them, with the reason.
    not_offered: Mapping[str, str] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        references = Registration.objects.order_by("reference").values_list("reference", flat=True)
        gone = [name for name in split(self.instance.registrations) if name not in set(references)]
        self._offer("registrations", [(name, name) for name in [*references, *gone]])
        self._offer("countries", _countries_with(split(self.instance.countries.upper())))
        known = {person.get_username(): person_text(person) for person in self.people}
        named = {name: name for name in split(self.instance.notify_users)}
        self._offer("notify_users", {**named, **known}.items())
        for name in ("kinds", "registrations", "countries", "notify_users"):
            self.initial[name] = split(self.initial.get(name) or getattr(self.instance, name))
        self.initial["countries"] = split(self.instance.countries.upper())
        self.fields["kinds"].help_text = _about_kinds()
        for name in self.not_offered.keys() & self.fields.keys():
            self.fields[name].help_text = f"{self.fields[name].help_text} {self.not_offered[name]}".strip()
        channels: Any = self.fields["channels"]
        channels.queryset = self.usable.select_related("person")
        self.initial["channels"] = [row.channel_id for row in RuleChannel.objects.filter(rule=self.instance.pk)]

    def add_prefix(self, field_name: str) -> str:
        """A field called `elements` would hide the browser's own list of a form's fields from scripts."""
        return super().add_prefix("element_paths" if field_name == "elements" else field_name)

    def _offer(self, name: str, choices: Iterable[tuple[str, str]]) -> None:
        field: Any = self.fields[name]
        field.choices = list(choices)

    def clean_elements(self) -> str:
        """The same lines in another order are the same rule: it keeps the order that it had."""
        text, before = str(self.cleaned_data["elements"]), str(self.instance.elements)
        return before if sorted(_lines_of(text)) == sorted(_lines_of(before)) else text

    def _post_clean(self) -> None:
        """When the row has what was written: each mistake goes to its field, with its place."""
        super()._post_clean()  # type: ignore[misc]
        for name, said in mistakes_in(self.instance).items():
            if name in self.fields and name not in self.errors:
                self.add_error(name, [ValidationError(text) for text in said])


def _countries_with(codes: list[str]) -> list[tuple[str, str]]:
    """All countries, and what a rule names beside them."""
    known = [(code, str(name)) for code, name in countries]
    return [*known, *((code, code) for code in codes if code not in dict(known))]


def set_channels(rule: AlertRule, chosen: Iterable[Channel], usable: QuerySet[Channel]) -> None:
    """Of the channels that this person may use; those of others stay as they are."""
    requested, may_use = {channel.pk for channel in chosen}, set(usable.values_list("pk", flat=True))
    known = set(RuleChannel.objects.filter(rule=rule).values_list("channel_id", flat=True))
    RuleChannel.objects.filter(rule=rule, channel__in=list((known & may_use) - requested)).delete()
    for key in requested - known:
        RuleChannel.objects.create(id=content_key("rule channel", rule.pk, key), rule=rule, channel_id=key)
