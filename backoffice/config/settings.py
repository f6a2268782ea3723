"""One base of settings, driven by the environment (README, « With your own servers »)."""

import os
from pathlib import Path

import dj_database_url
from celery.schedules import crontab
from csp.constants import NONE, SELF
from environs import Env

BASE_DIR = Path(__file__).resolve().parent.parent.parent

env = Env()
TESTS = env.bool("ROR_TESTS", default=False)
if not TESTS:
    env.read_env(str(BASE_DIR / ".env"), recurse=False)

VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# The supervisor writes a random key into VAR_DIR and hands it over; there is no default key in the code.
SECRET_KEY = env.str("SECRET_KEY", default="")
SITE_URL = env.str("SITE_URL", default=f"http://localhost:{os.environ.get('PORT', '8000')}")
HTTPS = env.bool("HTTPS", default=SITE_URL.startswith("https://"))

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "pgtrigger",
    "pghistory",
    "viewflow",
    "viewflow.workflow",
    "csp",
    "django_htmx",
    "django_cotton",
    "import_export",
    "oauth2_provider",
    "backoffice.socle",
    "backoffice.comptes",
    "notifications",
    "backoffice.exports",
    "structures",
    "workflows",
    "backoffice.pages",
]

MIDDLEWARE = [
    "backoffice.socle.middleware.EntetesSecurite",
    "structures.fhir.middleware.PourLesProgrammes",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "backoffice.comptes.middleware.Activite",
    "backoffice.comptes.middleware.PremierMotDePasse",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "backoffice.socle.middleware.GestionErreurs",
]

ROOT_URLCONF = "backoffice.config.urls"
WSGI_APPLICATION = "backoffice.config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "backoffice.socle.contexte.shell",
            ],
            "builtins": ["backoffice.socle.templatetags.ror", "django.templatetags.static"],
        },
    },
]
COTTON_DIR = "composants"
COTTON_ISOLATE_BY_DEFAULT = True  # a component sees its attributes and the context processors, nothing else

# -- Database: PostgreSQL only ------------------------------------------------------------------
DATABASE_URL = env.str("DATABASE_URL", default="")
_base = dj_database_url.parse(DATABASE_URL or "postgresql:///ror", conn_max_age=env.int("CONN_MAX_AGE", default=60))
# A lock that is held too long becomes an explained 409, not a page that hangs. No jit: compiling a search takes longer
# than the search (docs/mesures.md). Options of the URL win.
_base["OPTIONS"] = {"options": "-c lock_timeout=8s -c jit=off", **_base.get("OPTIONS", {})}
DATABASES = {
    "default": {
        **_base,
        "ENGINE": "django.db.backends.postgresql",
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- Accounts ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "comptes.User"
LOGIN_URL = "connexion"
LOGIN_REDIRECT_URL = "accueil"
LOGOUT_REDIRECT_URL = "connexion"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SESSION_COOKIE_AGE = env.int("SESSION_DUREE_SECONDES", default=8 * 3600)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "backoffice.socle.vues.session_terminee"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDES", default=0)
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# -- Consumers of /fhir/: OAuth2, client credentials only (docs/adr/0013) --------------------------
OAUTH2_PROVIDER_APPLICATION_MODEL = "structures.Consommateur"
OAUTH2_PROVIDER = {
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer",  # knows this grant and no other
    "OAUTH2_VALIDATOR_CLASS": "structures.fhir.jeton.Validateur",
    "SCOPES_BACKEND_CLASS": "structures.fhir.jeton.Portees",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    # Tokens are kept as digests. The other gates concern grants that we don't have; set, `check --deploy` is silent.
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
}

# -- Language and time ---------------------------------------------------------------------------
LANGUAGE_CODE = "fr"
TIME_ZONE = "Europe/Paris"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True

# -- Static files --------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "templates" / "_statiques"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTS
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or TESTS
# An UO may cover every commune of the country, and be re-posted with all its fields.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 50_000
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# -- Mail ----------------------------------------------------------------------------------------
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = env.str("EMAIL_HOST", default="")  # empty: nothing leaves, « Envois » shows the mails
EMAIL_PORT = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="ror@localhost")

ENVOI_BAIL_SECONDES = env.int("ENVOI_BAIL_SECONDES", default=120)  # a worker killed mid-batch gives its mails back
LIVRAISON_BAIL_SECONDES = env.int("LIVRAISON_BAIL_SECONDES", default=120)  # the same for webhooks
EXPORT_BAIL_SECONDES = env.int("EXPORT_BAIL_SECONDES", default=120)  # and for bulk exports, at each file
FHIR_DELAI_SECONDES = env.int("FHIR_DELAI_SECONDES", default=10)  # that the database may spend on one search of /fhir/
# Private networks (CIDR) to which webhooks may lead, in clear too. None: https to the Internet only.
WEBHOOK_RESEAUX_PERMIS: list[str] = env.list("WEBHOOK_RESEAUX_PERMIS", default=[])
# Reverse proxies in front of the product: how many addresses to trust at the end of X-Forwarded-For.
PROXIES_DE_CONFIANCE = env.int("PROXIES_DE_CONFIANCE", default=0)
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "change"  # the default lets every staff account import
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "view"

# -- Celery --------------------------------------------------------------------------------------
BROKER_URL = env.str("BROKER_URL", default="")
CELERY_BROKER_URL = BROKER_URL or "redis://localhost:6379/0"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_SOFT_TIME_LIMIT = 540
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_TIMEZONE = TIME_ZONE
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A killed worker's tasks come back after seconds, not after an hour. The visibility is above the time limit.
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"visibility_timeout": 900, "unacked_restore_interval": 5, "unacked_restore_throttle": 1}
    if CELERY_BROKER_URL.startswith(("redis", "valkey"))
    else {}
)
if CELERY_BROKER_URL.startswith("amqp"):
    CELERY_TASK_DEFAULT_QUEUE_TYPE = "quorum"
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5.0
CELERY_BEAT_SCHEDULE = {
    "expedier-envois": {"task": "notifications.expedier", "schedule": 5.0, "options": {"expires": 10}},
    "declencher-minuteries": {"task": "workflows.declencher_minuteries", "schedule": 60.0},
    "rappeler-la-fraicheur": {
        "task": "structures.rappeler_la_fraicheur",
        "schedule": crontab(hour="7,13", minute=30),
    },
    "rafraichir-le-vocabulaire": {"task": "structures.rafraichir_vocabulaire", "schedule": crontab(minute=10)},
    # Without anything marked it costs one look: what is published is read by consumers within seconds.
    "exposer": {"task": "structures.exposer", "schedule": 5.0, "options": {"expires": 10}},
    "livrer": {"task": "structures.livrer", "schedule": 10.0, "options": {"expires": 10}},
    "purger-livraisons": {"task": "structures.purger_livraisons", "schedule": crontab(hour="3", minute=20)},
    "reprendre-exports-fhir": {"task": "structures.reprendre_exports_fhir", "schedule": 60.0},
    "liberer-taches-orphelines": {"task": "workflows.liberer_taches", "schedule": 300.0},
    "reprendre-exports": {"task": "exports.reprendre", "schedule": 60.0},
    "purger-exports": {"task": "exports.purger", "schedule": 3600.0},
    "reprendre-lots": {"task": "workflows.reprendre_lots", "schedule": 60.0},
    "annoncer-le-radar": {"task": "workflows.annoncer_le_radar", "schedule": crontab(hour="8,14", minute=15)},
    "reprendre-imports": {"task": "structures.reprendre_imports", "schedule": 60.0},
    "purger-imports": {"task": "structures.purger_imports", "schedule": crontab(hour=3, minute=40)},
    "purger-acces": {"task": "structures.purger_acces", "schedule": crontab(hour=3, minute=40)},
    "purger-presences": {"task": "workflows.purger_presences", "schedule": 3600.0},
}

# -- The product ---------------------------------------------------------------------------------
NOM_PRODUIT = env.str("NOM_PRODUIT", default="ROR Île-de-France")
PREFIXE_REGION = env.str("PREFIXE_REGION", default="11")
URL_CODE_SOURCE = env.str("URL_CODE_SOURCE", default="")
VERSION = "1.0"
SUPPORT_TELEPHONE = env.str("SUPPORT_TELEPHONE", default="01 83 76 30 31")
SUPPORT_HORAIRES = env.str("SUPPORT_HORAIRES", default="du lundi au vendredi, 8h-20h")
SUPPORT_FORMULAIRE = env.str("SUPPORT_FORMULAIRE", default="https://formulaire-support.sante-idf.fr")
SUPPORT_COURRIEL = env.str("SUPPORT_COURRIEL", default="ror.support@sesan.fr")

# Working days given to each human step before it is late; how many before that the reminder leaves, how many after it
# the supervisor hears of it; how many at least are left to a step when a dossier comes back to it after a correction;
# after how many its authors are reminded of a dossier that is back for correction.
DELAIS_ETAPES = {
    "redaction": env.int("DELAI_REDACTION", default=30),
    "envoi": env.int("DELAI_ENVOI", default=30),
    "validation_direction": env.int("DELAI_DIRECTION", default=3),
    "affectation_tutelle": env.int("DELAI_AFFECTATION", default=10),
    "approbation_tutelle": env.int("DELAI_TUTELLE", default=10),
    "approbation_sesan": env.int("DELAI_SESAN", default=10),
}
RAPPEL_JOURS_AVANT = env.int("RAPPEL_JOURS_AVANT", default=1)
RECOURS_JOURS_APRES = env.int("RECOURS_JOURS_APRES", default=2)
REPRISE_JOURS_MINIMUM = env.int("REPRISE_JOURS_MINIMUM", default=2)
CORRECTION_RAPPEL_JOURS = env.int("CORRECTION_RAPPEL_JOURS", default=5)

SILENCED_SYSTEM_CHECKS: list[str] = []
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"ligne": {"format": "%(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "ligne"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}
