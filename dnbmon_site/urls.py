"""Every path of the program; the admin's pages are the front of the house and come last."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import URLPattern, URLResolver, include, path

from dnbmon_site.policies import drawn_by_unfold
from health import views as health

password_reset: list[URLPattern] = [
    path("password_reset/", drawn_by_unfold(auth.PasswordResetView.as_view()), name="admin_password_reset"),
    path("password_reset/done/", drawn_by_unfold(auth.PasswordResetDoneView.as_view()), name="password_reset_done"),
    path(
        "reset/<uidb64>/<token>/",
        drawn_by_unfold(auth.PasswordResetConfirmView.as_view()),
        name="password_reset_confirm",
    ),
    path("reset/done/", drawn_by_unfold(auth.PasswordResetCompleteView.as_view()), name="password_reset_complete"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("api/", include("dnbmon_site.api")),
    *password_reset,
    path("", admin.site.urls),
]

handler400 = "dnbmon_site.problems.bad_request"
handler500 = "dnbmon_site.problems.server_error"
