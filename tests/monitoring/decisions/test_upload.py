"""A file of tiers: each row says what is wrong with it, and all of the rest is set once its number is confirmed."""

import io

import pytest
import xlsxwriter

from core.models import AuditEntry
from monitoring.decisions import tiers as tiers_module
from monitoring.decisions import upload as module
from monitoring.decisions.rules import apply_rules
from monitoring.decisions.tier_file import TierRow
from monitoring.decisions.tiers import set_tier
from monitoring.decisions.upload import (
    accepted,
    cancel_tiers,
    changing,
    confirm_tiers,
    create_tier_import,
    rows_of,
    undo_tiers,
    work_on,
)
from monitoring.decisions.work import continue_tiers, work_on_tiers
from monitoring.models import TierImport
from portfolio.imports import reading
from portfolio.imports.states import Refused, move
from portfolio.models import Company, ExternalReference, ImportState, Tier
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.decisions import a_tier_import, a_tier_rule, a_tiered_company
from tests.builders.people import an_actor
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db
MIA = an_actor("mia")


def read(*lines: str) -> TierImport:
    upload = a_tier_import(*lines)
    work_on(upload)
    return upload


def checks(upload: TierImport) -> list[str]:
    return [row.validation for row in rows_of(upload)]


def tiers() -> dict[str, str]:
    return dict(Company.objects.values_list("duns", "tier"))


def test_each_row_says_what_is_wrong_with_it() -> None:
    a_company(DUNS)
    a_tiered_company(OTHER, Tier.NORMAL)
    upload = read(
        "D-U-N-S;Tier",
        f"{DUNS};Critical",
        f"{OTHER};normal",
        f"{DUNS[:2]}-{DUNS[2:5]}-{DUNS[5:]};none",
        "123;critical",
        "999999999;critical",
        f"{OTHER};vital",
    )
    assert checks(upload) == ["changed", "same", "duplicate", "company", "company", "tier"]
    assert (accepted(upload), changing(upload), upload.state) == (2, 1, ImportState.READ)
    assert tiers() == {DUNS: "", OTHER: "normal"}
    reasons = [row.reason for row in rows_of(upload)]
    assert "Same company as in line 2" in reasons[2] and "critical, important, normal or none" in reasons[5]


def test_companies_by_ones_own_reference() -> None:
    registration = a_registration()
    a_subject(DUNS, registration, customer_reference="K-1")
    a_company(OTHER)
    key = ExternalReference.key("erp", "4711")
    ExternalReference.objects.create(id=key, company_id=OTHER, system="erp", reference="4711")
    upload = read("Customer reference,Tier", "K-1,critical", "4711,important", "K-9,normal")
    assert [row.duns for row in rows_of(upload)] == [DUNS, OTHER, ""]
    confirm_tiers(upload, confirmed=2, by=MIA)
    work_on(upload)
    assert tiers() == {DUNS: "critical", OTHER: "important"}


def test_a_workbook() -> None:
    a_company(DUNS)
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ("DUNS", "Tier"))
        sheet.write_row(1, 0, (DUNS, "wichtig"))
    upload = create_tier_import(content=buffer.getvalue(), file_name="a.xlsx", source="upload", requested_by=MIA)
    work_on(upload)
    assert [(row.duns, row.tier) for row in rows_of(upload)] == [(DUNS, "important")]


def test_a_file_without_tiers_is_refused_with_what_to_do() -> None:
    upload = read("D-U-N-S;Amount", f"{DUNS};1")
    assert upload.state == ImportState.FAILED and "“Tier”" in upload.error
    upload = read("D-U-N-S;Tier")
    assert upload.state == ImportState.FAILED and "no other rows" in upload.error


def test_another_number_confirms_nothing() -> None:
    a_company()
    upload = read("D-U-N-S;Tier", f"{DUNS};critical")
    with pytest.raises(Refused, match="sets the tiers of 1 company"):
        confirm_tiers(upload, confirmed=2, by=MIA)
    work_on(upload)
    assert tiers() == {DUNS: ""}


def test_what_is_imported_counts_as_set_by_a_user() -> None:
    a_company(DUNS)
    a_tier_rule(is_enabled=True)
    upload = read("D-U-N-S;Tier", f"{DUNS};none")
    confirm_tiers(upload, confirmed=1, by=MIA)
    work_on(upload)
    assert upload.state == ImportState.APPLIED and Company.objects.get().tier_set_by == "mia"
    assert apply_rules() == 0
    assert AuditEntry.objects.get(action="tiers.confirm").actor == "mia"


def test_a_cancelled_one_changes_nothing() -> None:
    a_company()
    upload = read("D-U-N-S;Tier", f"{DUNS};critical")
    cancel_tiers(upload, by=MIA)
    with pytest.raises(Refused):
        confirm_tiers(upload, confirmed=1, by=MIA)
    assert tiers() == {DUNS: ""}


def test_whoever_is_killed_leaves_no_row_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each chunk, while rows are checked and while tiers are set."""
    monkeypatch.setattr(reading, "CHUNK", 2)
    duns = [f"{100_000_000 + number}" for number in range(5)]
    for one in duns:
        a_company(one)
    upload = a_tier_import("D-U-N-S;Tier", *(f"{one};critical" for one in duns))
    moves = 0
    usual = move

    def dies(*given: object, **fields: object) -> bool:
        nonlocal moves
        moves += 1
        if moves % 2:
            raise SystemExit
        return usual(*given, **fields)  # type: ignore[arg-type]

    work_on(upload)
    confirm_tiers(upload, confirmed=5, by=MIA)
    monkeypatch.setattr(module, "move", dies)
    for _ in range(20):
        try:
            work_on(TierImport.objects.get(pk=upload.pk))
        except SystemExit:
            continue
        if TierImport.objects.get(pk=upload.pk).state == ImportState.APPLIED:
            break
    assert TierImport.objects.get(pk=upload.pk).state == ImportState.APPLIED
    assert set(tiers().values()) == {"critical"}


# Undoing


def applied(*lines: str) -> TierImport:
    upload = read("D-U-N-S;Tier", *lines)
    confirm_tiers(upload, confirmed=accepted(upload), by=MIA)
    work_on(upload)
    return upload


def rows_of_companies() -> list[tuple[object, ...]]:
    columns = ("duns", "tier", "tier_set_by", "tier_set_on", "next_review_on")
    return list(Company.objects.order_by("duns").values_list(*columns))


def test_undone_companies_have_what_they_had() -> None:
    a_company(DUNS)
    a_tiered_company(OTHER, Tier.NORMAL, set_days_ago=30, tier_set_by="")
    overdue = a_tiered_company("100000009", Tier.IMPORTANT, set_days_ago=300)
    before = rows_of_companies()
    upload = applied(f"{DUNS};critical", f"{OTHER};normal", "100000009;critical")
    assert rows_of_companies() != before
    assert Company.objects.get(pk=overdue.pk).next_review_on == overdue.next_review_on
    undo_tiers(upload, by=an_actor("ann"))
    assert tiers() == {DUNS: "critical", OTHER: "normal", "100000009": "critical"}, "a worker does it"
    work_on(upload)
    assert (upload.state, upload.undone_by, upload.note) == (ImportState.UNDONE, "ann", "")
    assert rows_of_companies() == before
    entries = AuditEntry.objects.filter(action="tier.restored").values_list("key", "actor")
    assert sorted(entries) == sorted([(DUNS, "ann"), (OTHER, "ann"), ("100000009", "ann")])
    with pytest.raises(Refused):
        undo_tiers(upload, by=MIA)


def test_undoing_leaves_what_was_set_since_and_says_of_how_many() -> None:
    a_company(DUNS)
    a_company(OTHER)
    upload = applied(f"{DUNS};critical", f"{OTHER};critical")
    set_tier([Company.objects.get(pk=DUNS)], tier=Tier.NORMAL, by=an_actor("carl"))
    undo_tiers(upload, by=MIA)
    work_on(upload)
    assert tiers() == {DUNS: "normal", OTHER: ""}
    assert "The tier of 1 company was changed after the import" in upload.note


def test_whoever_is_killed_undoes_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the tiers and the reviews, and between these and the step."""
    a_company(DUNS)
    a_tiered_company(OTHER, Tier.NORMAL)
    before = rows_of_companies()
    upload = applied(f"{DUNS};critical", f"{OTHER};important")
    undo_tiers(upload, by=MIA)

    def dies(*given: object, **named: object) -> None:
        raise SystemExit

    for module_of, name in ((tiers_module, "refresh_reviews"), (module, "move")):
        with monkeypatch.context() as patched:
            patched.setattr(module_of, name, dies)
            with pytest.raises(SystemExit):
                work_on(TierImport.objects.get())
    TierImport.objects.update(moved_at=upload.created_at.replace(year=2020))
    assert continue_tiers() == 1
    upload = TierImport.objects.get()
    assert (upload.state, upload.note, rows_of_companies()) == (ImportState.UNDONE, "", before)
    assert AuditEntry.objects.filter(action="tier.restored").count() == 2


@pytest.mark.parametrize("step", ["select_rows", "update_versions"])
def test_a_worker_that_stalls_until_its_import_is_undone_writes_no_tier(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it reads the companies, and before it writes them."""
    a_tiered_company(DUNS, Tier.NORMAL)
    stalled = read("D-U-N-S;Tier", f"{DUNS};critical")
    confirm_tiers(stalled, confirmed=1, by=MIA)
    real = getattr(tiers_module, step)

    def stall(*args: object, **kwargs: object) -> object:
        monkeypatch.setattr(tiers_module, step, real)
        undo(TierImport.objects.get())
        return real(*args, **kwargs)

    monkeypatch.setattr(tiers_module, step, stall)
    work_on(stalled)
    assert tiers() == {DUNS: "normal"} and TierImport.objects.get().state == ImportState.UNDONE


def undo(upload: TierImport) -> None:
    work_on(upload)
    undo_tiers(upload, by=MIA)
    work_on(upload)


@pytest.mark.parametrize("step", ["select_rows", "update_versions"])
def test_an_undo_that_stalls_until_another_import_has_set_the_tier_leaves_it(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_tiered_company(DUNS, Tier.NORMAL)
    first = read("D-U-N-S;Tier", f"{DUNS};critical")
    confirm_tiers(first, confirmed=1, by=MIA)
    work_on(first)
    undo_tiers(first, by=MIA)
    real = getattr(tiers_module, step)

    def stall(*args: object, **kwargs: object) -> object:
        monkeypatch.setattr(tiers_module, step, real)
        work_on(TierImport.objects.get())
        again = read("D-U-N-S;Tier", f"{DUNS};critical")
        confirm_tiers(again, confirmed=1, by=MIA)
        work_on(again)
        return real(*args, **kwargs)

    monkeypatch.setattr(tiers_module, step, stall)
    work_on(first)
    assert tiers() == {DUNS: "critical"}


def test_a_worker_continues_what_another_has_left() -> None:
    a_company()
    upload = a_tier_import("D-U-N-S;Tier", f"{DUNS};critical")
    TierImport.objects.update(moved_at=upload.created_at.replace(year=2020))
    assert continue_tiers() == 1
    upload.refresh_from_db()
    confirm_tiers(upload, confirmed=1, by=MIA)
    assert work_on_tiers(str(upload.pk)) == ImportState.APPLIED
    assert tiers() == {DUNS: "critical"}


def test_rows_are_kept_as_they_were_checked() -> None:
    a_company()
    upload = read("D-U-N-S;Tier", f"{DUNS};critical")
    (row,) = rows_of(upload)
    assert row == TierRow(2, DUNS, "critical", "changed", "", DUNS, "critical", "none")


def test_each_company_of_a_file_is_recorded_once_though_a_chunk_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    a_company(DUNS)
    a_tiered_company(OTHER, Tier.NORMAL)
    upload = read("D-U-N-S;Tier", f"{DUNS};critical", f"{OTHER};normal")
    confirm_tiers(upload, confirmed=2, by=MIA)

    def dies(*given: object, **named: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(tiers_module, "_write_for", dies)
        with pytest.raises(SystemExit):
            work_on(upload)
    work_on(TierImport.objects.get())
    entry = AuditEntry.objects.get(action="tier.set")
    assert (entry.key, entry.actor, entry.actor_id) == (DUNS, "mia", MIA.id)
    assert tiers() == {DUNS: "critical", OTHER: "normal"}
