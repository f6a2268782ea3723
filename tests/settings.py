"""Settings of the tests: the product's own, on a private cluster, and strict.

Loaded first by the pytest process that leads; the workers and whatever a test starts inherit its environment.
"""

import atexit
import os
import tempfile
from contextlib import ExitStack

from backoffice.embarque.prive import cluster_prive
from tests.variable_inconnue import VariableInconnue

if "ROR_TESTS_DATABASE_URL" not in os.environ:
    _fins = ExitStack()
    atexit.register(_fins.close)
    os.environ["ROR_TESTS_DATABASE_URL"] = _fins.enter_context(cluster_prive())
    os.environ["VAR_DIR"] = _fins.enter_context(tempfile.TemporaryDirectory(prefix="ror-tests-"))

# Whatever the developer's shell says, tests touch neither his database nor his broker.
os.environ.update(
    ROR_TESTS="1",
    DATABASE_URL=os.environ["ROR_TESTS_DATABASE_URL"],
    BROKER_URL="memory://",
    SECRET_KEY="tests-only",
    SITE_URL="http://testserver",
    CONN_MAX_AGE="0",  # a live server's threads must leave nothing open behind them
)

from backoffice.config.settings import *  # noqa: F403
from backoffice.config.settings import STATIC_ROOT, TEMPLATES

STATIC_ROOT.mkdir(parents=True, exist_ok=True)
WHITENOISE_AUTOREFRESH = True  # else each test client reads every static file before its first request
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}  # a busy machine changes no count
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TEMPLATES[0]["OPTIONS"]["string_if_invalid"] = VariableInconnue()
