"""What every test gets: no network, and a real Chromium where it asks for one."""

import gc
import ipaddress
import os
import shutil
import socket
from collections.abc import Iterator

import pytest


class ReseauInterdit(BaseException):
    """A test reached for the network. Not an Exception: code under test must not swallow it."""


@pytest.fixture(autouse=True, scope="session")
def sans_reseau() -> Iterator[None]:
    """Refuse every connection that would leave this machine."""
    with pytest.MonkeyPatch.context() as remplace:
        for nom in ("connect", "connect_ex"):
            remplace.setattr(socket.socket, nom, _bornee(getattr(socket.socket, nom)))
        yield


def _bornee(connecter):
    def bornee(prise: socket.socket, adresse):
        if prise.family in (socket.AF_INET, socket.AF_INET6) and not _locale(adresse[0]):
            raise ReseauInterdit(f"Tests may not reach {adresse[0]}: use a local server or a fake.")
        return connecter(prise, adresse)

    return bornee


def _locale(hote: str) -> bool:
    if hote in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(hote).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    """pytest-playwright on the machine's Chromium, which resolves no name but this machine's."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    from playwright.sync_api import expect

    expect.set_options(timeout=15_000)  # two workers and a browser share two cores
    if not chromium:
        pytest.fail("Chromium is missing: install it (apt-get install chromium) or set CHROMIUM to its program.")
    options = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1", "--disable-gpu"]
    if os.geteuid() == 0:
        options.append("--no-sandbox")  # Chromium's sandbox refuses root
    return {**browser_type_launch_args, "executable_path": chromium, "args": options}


def pytest_collection_finish() -> None:
    """Thousands of modules live as long as the tests: the collector needn't go through them again and again (a tenth of
    the time)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Playwright runs an event loop in the test's thread; Django then refuses the ORM unless told that we know."""
    if any({"page", "browser"} & set(getattr(item, "fixturenames", ())) for item in items):
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    # The longest first: the last tests to end are then short ones, which two workers share to the end.
    items.sort(key=lambda item: not {"lent", "navigateur"} & {marque.name for marque in item.iter_markers()})


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker) -> Iterator[None]:
    """Nomenclatures and communes in every test; after a transactional one, what it committed is taken back."""
    from django.test import TransactionTestCase

    from structures.domaine.referentiels import charger_referentiels
    from tests import photographie

    with django_db_blocker.unblock():
        charger_referentiels()
        photographie.fond()
    with pytest.MonkeyPatch.context() as remplace:
        remplace.setattr(TransactionTestCase, "_fixture_teardown", lambda self: photographie.remettre_le_fond())
        yield


@pytest.fixture(scope="module", autouse=True)
def base_legere(django_db_blocker) -> Iterator[None]:
    """A module leaves no dead rows to the next one."""
    from tests import photographie

    yield
    with django_db_blocker.unblock():
        photographie.alleger()


@pytest.fixture(scope="module")
def demo_du_module(django_db_setup: None, django_db_blocker) -> Iterator[None]:
    """The demo data for the tests of one module, committed: what their transactions leave dead is swept meanwhile."""
    from backoffice.pages.demo import charger_demo
    from tests import photographie

    with django_db_blocker.unblock():
        photographie.poser_la_demo(charger_demo)
        yield
        photographie.remettre_le_fond()


@pytest.fixture
def demo(demo_du_module: None, db: None) -> None:
    """The demo data; what the test changes is undone after it."""
