// The workspace of a dossier: a fiche opens beside the tree without a reload, nothing typed is lost by a click.
// Without this file every link is a page of its own.

const espace = document.querySelector('[data-dossier]');
const large = matchMedia('(min-width: 1100px)');

if (espace) {
  const base = espace.dataset.dossier;
  const panneau = document.getElementById('panneau');
  let saisie = false;

  const quitter = () => !saisie || window.confirm('Vous avez saisi des informations qui ne sont pas enregistrées. Les abandonner ?');
  // Beside a fiche the tree scrolls on its own.
  const montrer = (lien) => {
    const cadre = lien.closest('.dossier-arbre');
    if (cadre.scrollHeight <= cadre.clientHeight + 4) return;
    const ecart = lien.getBoundingClientRect().top - cadre.getBoundingClientRect().top;
    if (ecart < 0 || ecart > cadre.clientHeight - 80) cadre.scrollTop += ecart - cadre.clientHeight / 2;
  };
  const situer = () => {
    const tete = panneau.querySelector('[data-fiche]');
    espace.classList.toggle('dossier-sur-fiche', Boolean(tete));
    for (const l of espace.querySelectorAll('.arbre-actif')) l.classList.remove('arbre-actif');
    for (const a of espace.querySelectorAll('.arbre-nom[aria-current]')) a.removeAttribute('aria-current');
    const lien = tete && document.getElementById(`fiche-${tete.dataset.fiche}`);
    if (!lien) return;
    lien.closest('.arbre-ligne').classList.add('arbre-actif');
    lien.setAttribute('aria-current', 'true');
    montrer(lien);
    if (tete.dataset.titre) document.title = tete.dataset.titre;
  };

  espace.addEventListener('click', (e) => {
    const lien = e.target.closest('.arbre a[href], #panneau a[href]');
    if (!lien || e.defaultPrevented || e.button || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return;
    const url = new URL(lien.href);
    if (!url.pathname.startsWith(base) || !/\/(fiches\/\d+|ajouter|deplacer|supprimer|annuler)\/$/.test(url.pathname)) return;
    if (!quitter()) { e.preventDefault(); return; }
    saisie = false;
    if (!large.matches || !window.htmx || url.hash) return;
    e.preventDefault();
    for (const d of espace.querySelectorAll('details.deroulant[open]')) d.open = false;
    window.htmx.ajax('GET', url.pathname + url.search, { source: panneau, target: panneau, swap: 'innerHTML show:#panneau:top' });
  });

  panneau.addEventListener('htmx:afterSwap', () => { saisie = false; situer(); });
  panneau.addEventListener('input', (e) => { if (e.target.closest('.formulaire-fiche')) saisie = true; });
  panneau.addEventListener('change', (e) => { if (e.target.closest('.formulaire-fiche')) saisie = true; });
  panneau.addEventListener('submit', () => { saisie = false; });
  addEventListener('beforeunload', (e) => { if (saisie) e.preventDefault(); });

  // The fiche that the address names is shown, whatever is folded above it.
  const viser = async () => {
    const lien = /^#fiche-\d+$/.test(location.hash) && document.getElementById(location.hash.slice(1));
    if (!lien) return;
    await customElements.whenDefined('ror-arbre');
    const arbre = lien.closest('ror-arbre');
    for (let li = lien.closest('li').parentElement.closest('li'); li; li = li.parentElement.closest('li')) arbre.ouvrir(li, true);
    lien.scrollIntoView({ block: 'center' });
    lien.focus({ preventScroll: true });
  };
  viser();
  customElements.whenDefined('ror-arbre').then(() => { const a = espace.querySelector('.arbre-actif .arbre-nom'); if (a) montrer(a); });
  addEventListener('hashchange', viser);
}

const filtre = document.querySelector('[data-dossier-filtre] select');
filtre?.addEventListener('change', () => filtre.form.requestSubmit());

// A long list of radios: one field narrows it.
const plier = (t) => t.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase();
class ListeFiltree extends HTMLElement {
  connectedCallback() {
    const champ = this.querySelector('[data-filtre]');
    const annonce = this.querySelector('[data-annonce]');
    champ?.addEventListener('input', () => {
      const mots = plier(champ.value).split(/\s+/).filter(Boolean);
      let n = 0;
      for (const ligne of this.querySelectorAll('[data-ligne]')) {
        ligne.hidden = !mots.every((m) => plier(ligne.textContent).includes(m)) && !ligne.querySelector(':checked');
        n += ligne.hidden ? 0 : 1;
      }
      annonce.textContent = mots.length ? `${n} place${n > 1 ? 's' : ''}` : '';
    });
    champ?.addEventListener('keydown', (e) => { if (e.key === 'Enter') e.preventDefault(); });
  }
}
customElements.define('ror-liste-filtree', ListeFiltree);
