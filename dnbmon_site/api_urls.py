"""The endpoints of the API."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.utils.translation import gettext
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularAPIView

from dnbmon_site.accounts.api_keys import IsKnown, KeyAuthentication, key_of, scope_of
from dnbmon_site.accounts.idempotency import repeatable
from dnbmon_site.api.problems import problem, problem_page, unknown_route
from dnbmon_site.api.reference import reference
from monitoring.alerts.api.actions import AlertAssign, AlertBulk, AlertSnooze, AlertWake
from monitoring.alerts.api.alerts import AlertAcknowledge, AlertClose, AlertDetail, AlertList, AlertReopen
from monitoring.benefit.api import ContractReviewDetail, ReviewCompanies
from monitoring.corporate_groups.api import GroupDetail
from monitoring.data_fetch.api.fetches import (
    DataFetchAccept,
    DataFetchCompanies,
    DataFetchCompany,
    DataFetchDetail,
    DataFetchDiscard,
    DataFetchList,
    DataFetchResume,
    DataFetchStop,
)
from monitoring.decisions.api import DecisionDetail, DecisionList, TierList
from monitoring.dossier.api import DossierDetail
from monitoring.family_tree.api.trees import (
    CompanyFamilyTree,
    CompanyUpwardChain,
    FamilyTreeDetail,
    FamilyTreeDiscard,
    FamilyTreeList,
    FamilyTreeMembers,
    FamilyTreeResume,
    FamilyTreeStop,
)
from monitoring.feed.api import ChangeDetail, ChangeFeed, CompanyChanges, CompanyList, NotificationList
from monitoring.file_intake.api import FileList
from monitoring.file_intake.list_api import FileConfirm, FileDetail
from monitoring.history.api import CompanyProfile
from monitoring.portfolio_page.api import PortfolioRisk
from monitoring.webhooks.api import EventTypeList
from portfolio.call_budgets.api import CallBudgetList, CallList
from portfolio.companies.api.companies import CompanyDetail
from portfolio.companies.api.external_references import ReferenceList
from portfolio.companies.api.lookup import CompanyLookup
from portfolio.company_search.api.import_rows import ImportCandidates, ImportCandidatesAdd, ImportCandidatesStop
from portfolio.company_search.api.searches import SearchDecision, SearchDetail, SearchList
from portfolio.entitlements.api import EntitlementList
from portfolio.exposure.api import ExposureList
from portfolio.imports.api import ImportConfirm, ImportDetail, ImportList
from portfolio.reference_data.api import ReferenceCodeList, ReferenceDataFetch
from portfolio.registrations.adoption_api import RegistrationAdoption
from portfolio.registrations.api import PullNow, RegistrationDetail, RegistrationList
from portfolio.subjects.api.subjects import SubjectList


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = KeyAuthentication
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key, issued by an administrator."}

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]] | list[dict[str, list[str]]]:
        """The scope that the key needs; nothing where no key will do."""
        scope = scope_of(auto_schema.view, auto_schema.method)
        return {self.name: [scope]} if scope else []


@require_safe
def docs(request: HttpRequest) -> HttpResponseBase:
    """The reference page for users, and the description itself for programs; strangers are asked to sign in."""
    if key_of(request):
        answer: HttpResponseBase = SpectacularAPIView.as_view()(request)
        return answer
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
    if not request.user.is_staff:
        return problem(403, IsKnown.message)
    request.current_app = admin.site.name
    context = {
        "title": gettext("API documentation"),
        "groups": reference(),
        "base_url": request.build_absolute_uri("/api/v1/"),
        "may_manage_keys": request.user.has_perm("accounts.view_apikey"),
    }
    return TemplateResponse(request, "dnbmon_site/api/reference.html", {**admin.site.each_context(request), **context})


v1: list[URLPattern | URLResolver] = [
    path("companies/", CompanyList.as_view(), name="companies"),
    path("companies/lookup/", CompanyLookup.as_view(), name="lookup"),
    path("companies/<str:duns>/", CompanyDetail.as_view(), name="company"),
    path("companies/<str:duns>/changes/", CompanyChanges.as_view(), name="company_changes"),
    path("companies/<str:duns>/profile/", CompanyProfile.as_view(), name="company_profile"),
    path("companies/<str:duns>/family-tree/", CompanyFamilyTree.as_view(), name="company_family_tree"),
    path("companies/<str:duns>/upward-chain/", CompanyUpwardChain.as_view(), name="company_upward_chain"),
    path("companies/<str:duns>/dossier/", DossierDetail.as_view(), name="company_dossier"),
    path("notifications/", NotificationList.as_view(), name="notifications"),
    path("changes/", ChangeFeed.as_view(), name="changes"),
    path("changes/<uuid:id>/", ChangeDetail.as_view(), name="change"),
    path("portfolio/risk/", PortfolioRisk.as_view(), name="risk"),
    path("portfolio/review/", ContractReviewDetail.as_view(), name="review"),
    path("portfolio/review/companies/", ReviewCompanies.as_view(), name="review_companies"),
    path("groups/<str:duns>/", GroupDetail.as_view(), name="group"),
    path("references/", repeatable(ReferenceList.as_view()), name="references"),
    path("exposures/", repeatable(ExposureList.as_view()), name="exposures"),
    path("decisions/", repeatable(DecisionList.as_view()), name="decisions"),
    path("decisions/<uuid:id>/", DecisionDetail.as_view(), name="decision"),
    path("tiers/", repeatable(TierList.as_view()), name="tiers"),
    path("reference-data/", ReferenceCodeList.as_view(), name="reference_data"),
    path("reference-data/fetch/", repeatable(ReferenceDataFetch.as_view()), name="fetch_reference_data"),
    path("registrations/", RegistrationList.as_view(), name="registrations"),
    path("registrations/<str:reference>/", RegistrationDetail.as_view(), name="registration"),
    path("registrations/<str:reference>/subjects/", repeatable(SubjectList.as_view()), name="subjects"),
    path("registrations/<str:reference>/pull/", repeatable(PullNow.as_view()), name="pull"),
    path("registrations/<str:reference>/adoption/", repeatable(RegistrationAdoption.as_view()), name="adoption"),
    path("data-fetches/", repeatable(DataFetchList.as_view()), name="data_fetches"),
    path("data-fetches/<uuid:id>/", DataFetchDetail.as_view(), name="data_fetch"),
    path("data-fetches/<uuid:id>/companies/", DataFetchCompanies.as_view(), name="data_fetch_companies"),
    path("data-fetches/<uuid:id>/companies/<str:duns>/", DataFetchCompany.as_view(), name="data_fetch_company"),
    path("data-fetches/<uuid:id>/accept/", repeatable(DataFetchAccept.as_view()), name="accept_data_fetch"),
    path("data-fetches/<uuid:id>/discard/", repeatable(DataFetchDiscard.as_view()), name="discard_data_fetch"),
    path("data-fetches/<uuid:id>/stop/", repeatable(DataFetchStop.as_view()), name="stop_data_fetch"),
    path("data-fetches/<uuid:id>/resume/", repeatable(DataFetchResume.as_view()), name="resume_data_fetch"),
    path("family-trees/", repeatable(FamilyTreeList.as_view()), name="family_trees"),
    path("family-trees/<uuid:id>/", FamilyTreeDetail.as_view(), name="family_tree"),
    path("family-trees/<uuid:id>/members/", FamilyTreeMembers.as_view(), name="family_tree_members"),
    path("family-trees/<uuid:id>/stop/", repeatable(FamilyTreeStop.as_view()), name="stop_family_tree"),
    path("family-trees/<uuid:id>/discard/", repeatable(FamilyTreeDiscard.as_view()), name="discard_family_tree"),
    path("family-trees/<uuid:id>/resume/", repeatable(FamilyTreeResume.as_view()), name="resume_family_tree"),
    path("entitlements/", EntitlementList.as_view(), name="entitlements"),
    path("call-budgets/", repeatable(CallBudgetList.as_view()), name="call_budgets"),
    path("calls/", CallList.as_view(), name="calls"),
    path("imports/", ImportList.as_view(), name="imports"),
    path("imports/<uuid:id>/", ImportDetail.as_view(), name="import"),
    path("imports/<uuid:id>/confirm/", repeatable(ImportConfirm.as_view()), name="confirm_import"),
    path("imports/<uuid:id>/candidates/", repeatable(ImportCandidates.as_view()), name="import_candidates"),
    path("imports/<uuid:id>/candidates/stop/", repeatable(ImportCandidatesStop.as_view()), name="stop_candidates"),
    path("imports/<uuid:id>/candidates/add/", repeatable(ImportCandidatesAdd.as_view()), name="add_candidates"),
    path("company-searches/", repeatable(SearchList.as_view()), name="company_searches"),
    path("company-searches/<uuid:id>/", SearchDetail.as_view(), name="company_search"),
    path("company-searches/<uuid:id>/decision/", repeatable(SearchDecision.as_view()), name="decide_company_search"),
    path("files/", FileList.as_view(), name="files"),
    path("files/<uuid:id>/", FileDetail.as_view(), name="file"),
    path("files/<uuid:id>/confirm/", repeatable(FileConfirm.as_view()), name="confirm_file"),
    path("alerts/", AlertList.as_view(), name="alerts"),
    path("alerts/bulk/", repeatable(AlertBulk.as_view()), name="change_alerts"),
    path("alerts/<uuid:id>/", AlertDetail.as_view(), name="alert"),
    path("alerts/<uuid:id>/acknowledge/", repeatable(AlertAcknowledge.as_view()), name="acknowledge_alert"),
    path("alerts/<uuid:id>/assign/", repeatable(AlertAssign.as_view()), name="assign_alert"),
    path("alerts/<uuid:id>/snooze/", repeatable(AlertSnooze.as_view()), name="snooze_alert"),
    path("alerts/<uuid:id>/wake/", repeatable(AlertWake.as_view()), name="wake_alert"),
    path("alerts/<uuid:id>/close/", repeatable(AlertClose.as_view()), name="close_alert"),
    path("alerts/<uuid:id>/reopen/", repeatable(AlertReopen.as_view()), name="reopen_alert"),
    path("event-types/", EventTypeList.as_view(), name="event_types"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include(v1)),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", docs, name="docs"),
    path("docs/problems/", problem_page, name="problems"),
    re_path("", unknown_route),
]
