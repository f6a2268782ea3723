"""Login, logout, password."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.password_validation import password_validators_help_texts
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from backoffice.socle.erreurs import Invalide, reporter

from . import domaine
from .forms import ConnexionForm, MotDePasseForm
from .models import User


class ConnexionView(LoginView):
    """The login. ``next`` is followed only on this site; there is no self sign-up (acceptance 5)."""

    template_name = "comptes/connexion.html"
    authentication_form = ConnexionForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # Somebody who still carries a session cookie and is asked to log in was cut off: say it.
        coupee = settings.SESSION_COOKIE_NAME in self.request.COOKIES and bool(self.get_redirect_url())
        return super().get_context_data(session_terminee=coupee, **kwargs)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        if not isinstance(form, ConnexionForm) or form.attente is None:
            return super().form_invalid(form)
        reponse = self.render_to_response(self.get_context_data(form=form), status=form.attente.statut)
        reponse["Retry-After"] = str(int(form.attente.attente.total_seconds()) + 1)
        return reponse


class DeconnexionView(LogoutView):
    """Logout, by POST only: a link in a mail must not end a session."""


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class MotDePasseView(LoginRequiredMixin, FormView):
    """The new password, forced (provisional one) or by choice; this session goes on, the person's others end."""

    template_name = "comptes/mot_de_passe.html"
    form_class = MotDePasseForm
    request: HttpRequest

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"user": self.request.user}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            force=self._user().doit_changer_mot_de_passe,
            regles=password_validators_help_texts(),
            next=self._suite(),
            **kwargs,
        )

    def form_valid(self, form: MotDePasseForm) -> HttpResponse:
        try:
            user = domaine.changer_mot_de_passe(user=self._user(), nouveau=form.cleaned_data["nouveau"])
        except Invalide as refus:
            reporter(form, refus)
            return self.form_invalid(form)
        update_session_auth_hash(self.request, user)
        messages.success(self.request, "Votre nouveau mot de passe est enregistré.")
        return redirect(self._suite() or resolve_url(settings.LOGIN_REDIRECT_URL))

    def _user(self) -> User:
        return cast(User, self.request.user)

    def _suite(self) -> str:
        suite = self.request.POST.get("next") or self.request.GET.get("next") or ""
        sure = url_has_allowed_host_and_scheme(
            suite, allowed_hosts={self.request.get_host()}, require_https=self.request.is_secure()
        )
        return suite if sure else ""
