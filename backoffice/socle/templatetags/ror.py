"""Tags and filters of every template (a builtin library: no ``{% load %}`` needed)."""

import datetime
import json
import re
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django import template
from django.template.defaultfilters import linebreaksbr
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from backoffice.socle import arbre, semaine
from backoffice.socle.etats import signe
from backoffice.socle.mots import FINE, INSECABLE, date_longue, edition, en_date, en_heure_locale, nombre, pluriel

register = template.Library()

for _mot in (date_longue, edition, nombre, pluriel):
    register.filter(_mot)


def _ecart(valeur: datetime.date | datetime.datetime, maintenant: datetime.datetime) -> str:
    avec_heure = isinstance(valeur, datetime.datetime)
    jour = en_date(valeur)
    assert jour is not None
    jours = (timezone.localtime(maintenant).date() - jour).days
    if avec_heure:
        reference = valeur if timezone.is_aware(valeur) else timezone.make_aware(valeur)  # type: ignore[arg-type,type-var]
        secondes = (maintenant - reference).total_seconds()  # type: ignore[operator]
        if -60 < secondes < 60:
            return "à l’instant"
        minutes = int(abs(secondes) // 60)
        if minutes < 60:
            quantite = f"{minutes}{INSECABLE}minute{'s' if minutes > 1 else ''}"
            return f"il y a {quantite}" if secondes > 0 else f"dans {quantite}"
        heures = minutes // 60
        if heures < 12 and jours == 0:
            quantite = f"{heures}{INSECABLE}heure{'s' if heures > 1 else ''}"
            return f"il y a {quantite}" if secondes > 0 else f"dans {quantite}"
    proches = {0: "aujourd’hui", 1: "hier", -1: "demain", 2: "avant-hier", -2: "après-demain"}
    if jours in proches and jours != 2:
        return proches[jours]
    n = abs(jours)
    if n < 61:
        quantite = f"{n}{INSECABLE}jours"
    elif n < 730:
        quantite = f"{n // 30}{INSECABLE}mois" if n < 365 else f"1{INSECABLE}an"
    else:
        quantite = f"{n // 365}{INSECABLE}ans"
    return f"il y a {quantite}" if jours > 0 else f"dans {quantite}"


@register.filter
def il_y_a(valeur: Any) -> SafeString | str:
    """``<time>`` saying « il y a 2 jours »; the exact moment on hover and in words for screen readers."""
    if not isinstance(valeur, datetime.date):
        return ""
    avec_heure = isinstance(valeur, datetime.datetime)
    exact = date_longue(valeur, "heure" if avec_heure else "")
    iso = en_heure_locale(valeur).isoformat(timespec="minutes") if avec_heure else valeur.isoformat()  # type: ignore[arg-type]
    return format_html(
        '<time datetime="{}" title="{}">{}<span class="visually-hidden"> ({})</span></time>',
        iso,
        exact,
        _ecart(valeur, timezone.now()),
        exact,
    )


@register.simple_tag(takes_context=True)
def url_avec(context: template.Context, **parametres: Any) -> str:
    """The query string of this page with some parameters replaced: ``href="{% url_avec page=2 q=None %}"``.

    None or the empty string removes a parameter. Always begins with « ? ».
    """
    request = context.get("request")
    paires: list[tuple[str, str]] = []
    if request is not None:
        paires = [(cle, v) for cle, vs in request.GET.lists() for v in vs if cle not in parametres]
    for cle, v in parametres.items():
        if isinstance(v, list | tuple):
            paires.extend((cle, str(x)) for x in v)
        elif v is not None and v != "":
            paires.append((cle, str(v)))
    return "?" + urlencode(paires)


@register.simple_tag
@lru_cache(maxsize=512, typed=True)  # a list draws hundreds, always the same. Typed: a safe title is not a plain one
def icone(nom: str, classe: str = "", titre: str = "") -> SafeString:
    """An icon of the sprite. Decorative unless ``titre`` says what it means."""
    adresse = f"{static('ror/icones.svg')}#{nom}"
    if titre:
        return format_html(
            '<svg class="icone {}" role="img" aria-label="{}"><use href="{}"></use></svg>', classe, titre, adresse
        )
    return format_html('<svg class="icone {}" aria-hidden="true"><use href="{}"></use></svg>', classe, adresse)


@register.simple_tag
def badge_etat(etat: str, mot: str = "", complement: str = "") -> SafeString:
    """The sign of a state: icon and word. Same thing as ``<c-badge-etat>``, faster in long lists."""
    s = signe(etat)
    suite = format_html(' <span class="badge-etat-suite">{}</span>', complement) if complement else mark_safe("")
    return format_html(
        '<span class="badge-etat badge-{}">{}<span>{}{}</span></span>', s.ton, icone(s.icone), mot or s.mot, suite
    )


_CHAMP_HTML = re.compile(r"<(?:input|textarea|select|form)\b", re.I)
_AVANT_FINE = re.compile(r" (?=[;!?»])")
_AVANT_INSECABLE = re.compile(r"(?<=[\w»)]) (?=:(?: |$))|(?<=n°) (?=\d)")


@register.filter
def typo(valeur: Any) -> Any:
    """No-break spaces around « » : ; ! ? and after n°. For texts to read: HTML that holds a field is left alone."""
    if isinstance(valeur, SafeString) and _CHAMP_HTML.search(valeur):
        return valeur
    corrige = _AVANT_INSECABLE.sub(INSECABLE, _AVANT_FINE.sub(FINE, str(valeur).replace("« ", "«" + FINE)))
    return mark_safe(corrige) if isinstance(valeur, SafeString) else corrige  # noqa: S308 - as safe as it came


@register.filter
def chaque(valeur: Any, cle: Any) -> Any:
    """``{{ dico|chaque:variable }}``: an item by a key held in a variable, empty when it is not there."""
    try:
        return valeur[cle]
    except (KeyError, IndexError, TypeError):
        return ""


# -- Tags behind the components ----------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def arbre_noeuds(context: template.Context, noeuds: Any) -> SafeString:
    return arbre.rendre(noeuds, context.get("request"))


@register.simple_tag
def arbre_niveaux() -> str:
    """The words of the levels, for the script of the tree."""
    return json.dumps(arbre.NIVEAUX, ensure_ascii=False)


@register.simple_tag
def semaine_lignes(valeur: Any) -> list[dict[str, Any]]:
    return semaine.lignes(valeur)


@register.simple_tag
def resume_erreurs(form: Any, liens: Any) -> list[tuple[str, str, str]]:
    """(id of the control, label of the field, message) for each error of a form, then the ``liens`` given."""
    lignes: list[tuple[str, str, str]] = []
    if form is not None and form.is_bound and form.errors:
        lignes += [("", "", str(e)) for e in form.non_field_errors()]
        for champ in form:
            ancre = champ.id_for_label or champ.auto_id or ""
            lignes += [(ancre, str(champ.label or ""), str(e)) for e in champ.errors]
    lignes += [(ancre, "", str(message)) for ancre, message in liens or []]
    return lignes


_MOTS = re.compile(r"\s+|[\w’'-]+|[^\w\s]")
_TROP_DE_MOTS = 1500


def _marquer(mots: list[str], balise: str) -> SafeString:
    contenu = "".join(mots)
    if not contenu.strip():
        return format_html("{}", contenu)
    return format_html("<del>{}</del>" if balise == "del" else "<ins>{}</ins>", contenu)


def differences(avant: Any, apres: Any) -> tuple[SafeString, SafeString]:
    """Both values as HTML, with ``<del>`` and ``<ins>`` around what differs: words of a text, items of a list."""
    if isinstance(avant, list | tuple) or isinstance(apres, list | tuple):
        a = [str(x) for x in (avant if isinstance(avant, list | tuple) else [avant] if avant else [])]
        b = [str(x) for x in (apres if isinstance(apres, list | tuple) else [apres] if apres else [])]
        gauche = format_html_join(mark_safe("<br>"), "{}", ((x if x in b else _marquer([x], "del"),) for x in a))
        droite = format_html_join(mark_safe("<br>"), "{}", ((x if x in a else _marquer([x], "ins"),) for x in b))
        return gauche, droite
    texte_avant, texte_apres = ("" if valeur is None else str(valeur) for valeur in (avant, apres))
    a, b = _MOTS.findall(texte_avant), _MOTS.findall(texte_apres)
    if len(a) > _TROP_DE_MOTS or len(b) > _TROP_DE_MOTS:
        return (_marquer([texte_avant], "del"), _marquer([texte_apres], "ins"))
    comparaison = SequenceMatcher(None, a, b, autojunk=False)
    if comparaison.ratio() < 0.3:
        return (_marquer([texte_avant], "del"), _marquer([texte_apres], "ins"))
    gauche_, droite_ = [], []
    for operation, i1, i2, j1, j2 in comparaison.get_opcodes():
        if operation == "equal":
            gauche_.append(format_html("{}", "".join(a[i1:i2])))
            droite_.append(format_html("{}", "".join(b[j1:j2])))
        else:
            gauche_.append(_marquer(a[i1:i2], "del"))
            droite_.append(_marquer(b[j1:j2], "ins"))
    return format_html_join("", "{}", ((x,) for x in gauche_)), format_html_join("", "{}", ((x,) for x in droite_))


@register.simple_tag
def difference(ligne: Any) -> dict[str, Any]:
    """A line of table-diff, its two values marked."""
    lire = ligne.get if hasattr(ligne, "get") else lambda cle: getattr(ligne, cle, None)
    avant, apres = differences(lire("avant"), lire("apres"))
    rien = format_html('<span class="discret">{}</span>', "—")
    return {
        "champ": lire("champ") or "",
        "attention": lire("attention") or "",
        "cause": lire("cause") or "",
        "avant": avant or rien,
        "apres": apres or rien,
    }


@register.simple_tag
def definition(valeur: Any) -> str | SafeString:
    if valeur is None or valeur == "":
        return ""
    if isinstance(valeur, bool):
        return "Oui" if valeur else "Non"
    if isinstance(valeur, list | tuple | set):
        return format_html_join(mark_safe("<br>"), "{}", ((v,) for v in valeur))
    if isinstance(valeur, datetime.date):
        return date_longue(valeur)
    if isinstance(valeur, int | float):
        return nombre(valeur)
    return linebreaksbr(valeur) if not isinstance(valeur, SafeString) else valeur
