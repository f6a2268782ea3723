"""Embedded servers for management commands: started, shared, ended, recovered."""

import os
import signal
import stat

import psutil

from backoffice.embarque import emplacement, garde, prive

from . import banc


def gardien(var) -> psutil.Process:
    return psutil.Process(int((var / garde.VERROU).read_text().split()[-1]))


def test_une_commande_seule_demarre_les_serveurs_et_les_arrete(var):
    premiere = banc.commande(var)
    assert banc.dire(premiere)[0] == 1
    assert banc.serveurs(var)
    assert banc.finir(premiere) == 0
    assert banc.jusqu_a(lambda: not banc.serveurs(var))
    seconde = banc.commande(var)
    assert banc.dire(seconde)[0] == 2, "data survive"
    assert banc.finir(seconde) == 0


def test_un_reste_balaye_par_un_autre_au_meme_moment(tmp_path, monkeypatch):
    """It is passed over, and the next one is swept."""
    reste = tmp_path / "reste"
    reste.mkdir()
    (reste / "verrou").touch()
    os.utime(reste, (0, 0))
    monkeypatch.setattr(prive.Path, "glob", lambda *_: iter([tmp_path / "parti", reste]))
    prive._balayer()
    assert not reste.exists()


def test_deux_commandes_partagent_les_serveurs(var):
    premiere = banc.commande(var)
    _, depart = banc.dire(premiere)
    seconde = banc.commande(var)
    assert banc.dire(seconde) == (2, depart)
    assert banc.finir(premiere) == 0
    assert banc.finir(seconde) == 0, "the end of the first took nothing away from the second"
    assert banc.jusqu_a(lambda: not banc.serveurs(var))


def test_une_commande_tuee_ne_laisse_rien(var):
    tuee = banc.commande(var)
    banc.dire(tuee)
    tuee.kill()
    tuee.communicate()
    assert banc.jusqu_a(lambda: not banc.serveurs(var))


def test_apres_la_mort_de_postgresql_la_commande_suivante_retrouve_tout(var):
    premiere = banc.commande(var)
    banc.dire(premiere)
    os.kill(banc.postmaster(var), signal.SIGKILL)
    assert banc.jusqu_a(lambda: not banc.serveurs(var))
    assert banc.finir(premiere) == 1
    suivante = banc.commande(var)
    assert banc.dire(suivante)[0] == 2
    assert banc.finir(suivante) == 0


def test_la_mort_du_gardien_emporte_les_serveurs(var):
    premiere = banc.commande(var)
    banc.dire(premiere)
    gardien(var).kill()
    assert banc.jusqu_a(lambda: not banc.serveurs(var))
    banc.finir(premiere)
    suivante = banc.commande(var)
    assert banc.dire(suivante)[0] == 2
    assert banc.finir(suivante) == 0


def test_le_numero_d_un_serveur_mort_repris_par_un_autre_programme_ne_gene_pas(var):
    premiere = banc.commande(var)
    banc.dire(premiere)
    (donnees,) = (var / "serveurs").glob("postgres-*")
    reste = (donnees / "postmaster.pid").read_text()
    assert banc.finir(premiere) == 0
    assert banc.jusqu_a(lambda: not banc.serveurs(var))
    (donnees / "postmaster.pid").write_text(f"{os.getpid()}\n" + reste.partition("\n")[2])
    suivante = banc.commande(var)
    assert banc.dire(suivante)[0] == 2
    assert banc.finir(suivante) == 0


def test_un_chemin_trop_long_pour_une_prise(var):
    longue = var / ("tres-long-" * 15)
    premiere = banc.commande(longue)
    assert banc.dire(premiere)[0] == 1
    assert banc.finir(premiere) == 0
    assert banc.jusqu_a(lambda: not banc.serveurs(longue))
    prises = emplacement.preparer(longue).prises
    assert len(str(prises)) < 100
    assert stat.S_IMODE(prises.stat().st_mode) == 0o700
    for reste in prises.iterdir():
        reste.unlink()
    prises.rmdir()


def test_un_repertoire_ferme_aux_autres_le_reste(var_fermee):
    premiere = banc.commande(var_fermee)
    assert banc.dire(premiere)[0] == 1
    assert banc.finir(premiere) == 0
    assert stat.S_IMODE(var_fermee.parent.stat().st_mode) == 0o700


def test_ce_qui_est_prive_le_reste(var):
    premiere = banc.commande(var)
    banc.dire(premiere)
    lieu = emplacement.preparer(var)
    assert banc.finir(premiere) == 0
    cle = var / "cle_secrete"
    assert stat.S_IMODE(cle.stat().st_mode) == 0o600
    assert len(cle.read_text()) > 50
    assert {stat.S_IMODE(dossier.stat().st_mode) for dossier in (lieu.serveurs, lieu.prises)} == {0o700}
    assert lieu.serveurs.stat().st_uid != 0


def test_une_commande_qui_ne_lit_que_le_code_ne_demarre_rien(var):
    essai = psutil.Popen(
        [
            os.sys.executable,
            "-c",
            "from backoffice.embarque import assurer; assurer(['manage.py', 'check']);"
            "import os; print(os.environ['DATABASE_URL'])",
        ],
        cwd=banc.RACINE,
        env=banc.environnement(var),
        stdout=-1,
        text=True,
    )
    dit, _ = essai.communicate()
    assert dit.startswith("postgresql://ror@")
    assert not (var / garde.VERROU).exists()
    assert banc.serveurs(var) == []
