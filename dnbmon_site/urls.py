"""Every path of the program; the admin's pages are the front of the house and come last."""

from collections.abc import Callable

from django.contrib import admin
from django.contrib.auth import views as auth
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from dnbmon_site.accounts.preferences import preferences
from dnbmon_site.accounts.second_factor.login import login_code
from dnbmon_site.accounts.second_factor.page import page as second_factor
from dnbmon_site.accounts.sign_in import ChoosePassword, NewPassword, back, only_with, sign_in, start
from dnbmon_site.dashboard import palette, pwa
from dnbmon_site.dashboard.since_last_visit import seen
from dnbmon_site.dashboard.start_acts import dismiss, test_key
from dnbmon_site.http.moved_pages import moved_pages
from dnbmon_site.operations import health_access
from health import help_page, runbook_page
from health import views as health
from monitoring.benefit import admin as benefit
from monitoring.corporate_groups.admin import page as group_page
from monitoring.dossier import admin as dossier
from monitoring.family_tree.admin import tree_page
from monitoring.follows.admin.page import page as my_notifications
from monitoring.portfolio_page import admin as portfolio_page


def of_passwords(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    return only_with("LOCAL_LOGIN")(view)


password_reset: list[URLPattern] = [
    path("password_reset/", of_passwords(NewPassword.as_view()), name="admin_password_reset"),
    path("password_reset/done/", of_passwords(auth.PasswordResetDoneView.as_view()), name="password_reset_done"),
    path(
        "reset/<uidb64>/<token>/",
        of_passwords(ChoosePassword.as_view()),
        name="password_reset_confirm",
    ),
    path("reset/done/", of_passwords(auth.PasswordResetCompleteView.as_view()), name="password_reset_complete"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("health/", health_access.health, name="health"),
    path("health/jobs/<str:key>/<slug:verb>/", admin.site.admin_view(health.change_job), name="health_job"),
    path("help/", admin.site.admin_view(help_page.page), name="help"),
    path("help/<path:path>", admin.site.admin_view(runbook_page.page), name="handbook"),
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("metrics", health_access.metrics, name="metrics"),
    path("portfolio/risk/", admin.site.admin_view(portfolio_page.page), name="portfolio_risk"),
    path("portfolio/risk/movement/", admin.site.admin_view(portfolio_page.movement), name="portfolio_risk_movement"),
    path("portfolio/risk/trend/", admin.site.admin_view(portfolio_page.trend), name="portfolio_risk_trend"),
    path(
        "portfolio/risk/uncounted/",
        admin.site.admin_view(portfolio_page.uncounted),
        name="portfolio_risk_uncounted",
    ),
    path("portfolio/risk/companies/", admin.site.admin_view(portfolio_page.companies), name="portfolio_risk_companies"),
    path(
        "portfolio/risk/companies.csv",
        admin.site.admin_view(portfolio_page.companies_csv),
        name="portfolio_risk_companies_csv",
    ),
    path(
        "portfolio/risk/companies.xlsx",
        admin.site.admin_view(portfolio_page.companies_xlsx),
        name="portfolio_risk_companies_xlsx",
    ),
    path("portfolio/risk/risk.pdf", admin.site.admin_view(portfolio_page.pdf), name="portfolio_risk_pdf"),
    path("portfolio/risk/risk.xlsx", admin.site.admin_view(portfolio_page.xlsx), name="portfolio_risk_xlsx"),
    path("api/", include("dnbmon_site.api_urls")),
    path("manifest.webmanifest", pwa.manifest, name="manifest"),
    path("service-worker.js", pwa.service_worker, name="service_worker"),
    path("offline", pwa.offline, name="offline"),
    path("portfolio/review/", admin.site.admin_view(benefit.page), name="contract_review"),
    path("portfolio/review/<slug:reason>/", admin.site.admin_view(benefit.companies), name="contract_review_companies"),
    path("portfolio/company/<str:duns>/dossier/", admin.site.admin_view(dossier.page), name="company_dossier"),
    path("portfolio/company/<str:duns>/dossier.pdf", admin.site.admin_view(dossier.pdf), name="company_dossier_pdf"),
    path("portfolio/group/<str:duns>/", admin.site.admin_view(group_page), name="corporate_group"),
    path("portfolio/family-tree/<str:duns>/", admin.site.admin_view(tree_page.page), name="family_tree"),
    path("portfolio/family-tree/<str:duns>/add/", admin.site.admin_view(tree_page.add), name="family_tree_add"),
    path("my/two-step-verification/", admin.site.admin_view(second_factor), name="second_factor"),
    path("my/notifications/", admin.site.admin_view(my_notifications), name="my_notifications"),
    path("my/", admin.site.admin_view(preferences), name="preferences"),
    *password_reset,
    path("login/", sign_in, name="sign_in"),
    path("login/code/", of_passwords(login_code), name="login_code"),
    path("sign-in/", start, name="oidc_authentication_init"),
    path("sign-in/back/", back, name="oidc_authentication_callback"),
    path("seen/", admin.site.admin_view(seen), name="seen"),
    path("start/test-key/", admin.site.admin_view(test_key), name="test_key"),
    path("start/dismiss/", admin.site.admin_view(dismiss), name="dismiss_start"),
    # Where people who know Django look first.
    path("admin/", RedirectView.as_view(pattern_name="admin:index")),
    *moved_pages(),
    # Before unfold's own.
    path("search/", admin.site.admin_view(palette.search), name="search"),
    path("", admin.site.urls),
]

handler400 = "dnbmon_site.api.problems.bad_request"
handler403 = "dnbmon_site.dashboard.denied.permission_denied"
handler500 = "dnbmon_site.api.problems.server_error"
