// The tree: a nested list that this file makes a treegrid (WAI-ARIA APG): arrows, Home, End, a letter, Enter; folding; a filter.
// Folded branches stay findable by the browser (hidden=until-found).

const nu = (t) => t.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase();
const ligneDe = (li) => li.firstElementChild;
const sousDe = (li) => (li.lastElementChild.localName === 'ul' ? li.lastElementChild : null);
const nomDe = (li) => ligneDe(li).querySelector('.arbre-nom');
const outilsDe = (li) => [...ligneDe(li).querySelectorAll('a.arbre-nom, summary')];
const visibles = (ul) => [...ul.children].filter((li) => !li.hidden);

class Arbre extends HTMLElement {
  connectedCallback() {
    this.arbre = this.querySelector('.arbre');
    if (!this.arbre || this.dataset.pret) return;
    this.dataset.pret = '1';
    this.niveaux = JSON.parse(this.dataset.niveaux);
    const grille = this.querySelector('[data-arbre-grille]'); // a list may not be one itself
    grille.setAttribute('role', 'treegrid');
    grille.setAttribute('aria-label', this.arbre.getAttribute('aria-label'));
    this.arbre.removeAttribute('aria-label');
    this.arbre.setAttribute('role', 'none');
    this.equiper(this.arbre, 1);
    const actif = this.arbre.querySelector('.arbre-actif');
    if (actif) this.montrer(actif.parentElement);
    this.choisir(actif ?? ligneDe(this.arbre.firstElementChild));
    this.addEventListener('click', (e) => {
      const bascule = e.target.closest('.arbre-bascule');
      if (bascule) { const li = bascule.closest('li'); this.ouvrir(li, this.estPliee(li)); }
      const tout = e.target.closest('[data-arbre-tout]');
      if (tout) for (const li of this.branches) this.ouvrir(li, tout.dataset.arbreTout === 'ouvrir');
    });
    this.arbre.addEventListener('beforematch', (e) => this.ouvrir(e.target.parentElement, true));
    this.arbre.addEventListener('keydown', (e) => this.touche(e));
    this.arbre.addEventListener('focusin', (e) => this.choisir(e.target.closest('.arbre-ligne')));
    const filtre = this.querySelector('[data-arbre-filtre]');
    filtre?.addEventListener('input', () => { clearTimeout(this.attente); this.attente = setTimeout(() => this.filtrer(filtre.value), filtre.value ? 120 : 0); });
  }

  // Roles, levels and positions; the button that folds; the words of the level on hover.
  equiper(ul, niveau) {
    const { length } = ul.children;
    [...ul.children].forEach((li, i) => {
      const ligne = ligneDe(li);
      const sous = sousDe(li);
      li.setAttribute('role', 'none');
      for (const [cle, valeur] of [['role', 'row'], ['aria-level', niveau], ['aria-posinset', i + 1], ['aria-setsize', length], ['tabindex', -1]]) ligne.setAttribute(cle, valeur);
      for (const cellule of ligne.children) cellule.setAttribute('role', 'gridcell');
      for (const outil of outilsDe(li)) outil.tabIndex = -1;
      const abrege = ligne.querySelector('abbr');
      abrege.title = this.niveaux[abrege.textContent] ?? '';
      if (!sous) return;
      sous.setAttribute('role', 'none');
      const bascule = document.createElement('button');
      bascule.type = 'button';
      bascule.className = 'arbre-bascule';
      bascule.tabIndex = -1;
      ligne.firstElementChild.prepend(bascule);
      this.ouvrir(li, !li.classList.contains('arbre-ferme'));
      this.equiper(sous, niveau + 1);
    });
  }

  get branches() { return this.arbre.querySelectorAll('li:has(> ul)'); }

  estPliee(li) { return ligneDe(li).getAttribute('aria-expanded') === 'false'; }

  ouvrir(li, ouvert) {
    const sous = sousDe(li);
    if (!sous) return;
    li.classList.remove('arbre-ferme');
    if (ouvert) sous.removeAttribute('hidden');
    else sous.setAttribute('hidden', 'until-found');
    ligneDe(li).setAttribute('aria-expanded', String(ouvert));
    ligneDe(li).querySelector('.arbre-bascule').setAttribute('aria-label', ouvert ? 'Replier' : 'Déplier');
  }

  // Unfold what is above a node.
  montrer(li) {
    for (let haut = li.parentElement.closest('li'); haut; haut = haut.parentElement.closest('li')) this.ouvrir(haut, true);
  }

  // One row of the tree is a tab stop, with the menu it holds.
  choisir(ligne) {
    if (!ligne || ligne === this.courante) return;
    const arrets = (l, n) => { l.tabIndex = n; const menu = l.querySelector('summary'); if (menu) menu.tabIndex = n; };
    if (this.courante) arrets(this.courante, -1);
    this.courante = ligne;
    arrets(ligne, 0);
  }

  suivante(li) {
    const sous = sousDe(li);
    const premier = sous && !this.estPliee(li) && visibles(sous)[0];
    if (premier) return premier;
    for (let l = li; l; l = l.parentElement.closest('li')) {
      for (let s = l.nextElementSibling; s; s = s.nextElementSibling) if (!s.hidden) return s;
    }
    return null;
  }

  derniere(li) {
    const dessous = sousDe(li) && !this.estPliee(li) ? visibles(sousDe(li)) : [];
    return dessous.length ? this.derniere(dessous.at(-1)) : li;
  }

  precedente(li) {
    for (let s = li.previousElementSibling; s; s = s.previousElementSibling) if (!s.hidden) return this.derniere(s);
    return li.parentElement.closest('li');
  }

  touche(e) {
    const ligne = e.target.closest('.arbre-ligne');
    if (!ligne || e.altKey || e.ctrlKey || e.metaKey || e.target.closest('.deroulant[open]')) return;
    const li = ligne.parentElement;
    const surLigne = e.target === ligne;
    const outils = outilsDe(li);
    const rang = outils.indexOf(e.target); // -1: the row itself
    const enFace = (autre) => autre && (outilsDe(autre)[rang] ?? ligneDe(autre));
    let but = null;
    switch (e.key) {
      case 'ArrowDown': but = enFace(this.suivante(li)); break;
      case 'ArrowUp': but = enFace(this.precedente(li)); break;
      case 'Home': but = surLigne ? ligneDe(visibles(this.arbre)[0]) : outils[0]; break;
      case 'End': but = surLigne ? ligneDe(this.derniere(visibles(this.arbre).at(-1))) : outils.at(-1); break;
      case 'ArrowRight':
        if (surLigne && sousDe(li) && this.estPliee(li)) { this.ouvrir(li, true); but = ligne; } else but = outils[rang + 1];
        break;
      case 'ArrowLeft':
        if (!surLigne) but = outils[rang - 1] ?? ligne;
        else if (sousDe(li) && !this.estPliee(li)) { this.ouvrir(li, false); but = ligne; } else but = enFace(li.parentElement.closest('li'));
        break;
      case 'Enter':
        if (surLigne) { e.preventDefault(); nomDe(li).click(); }
        return;
      case 'Escape': but = surLigne ? null : ligne; break;
      default: but = surLigne && e.key.length === 1 && e.key !== ' ' ? this.parLettre(li, e.key) : null;
    }
    if (but) { e.preventDefault(); but.focus(); }
  }

  // The next row whose name begins with what was typed within half a second.
  parLettre(li, lettre) {
    clearTimeout(this.oubli);
    this.oubli = setTimeout(() => { this.tape = ''; }, 500);
    this.tape = (this.tape ?? '') + nu(lettre);
    const premiere = visibles(this.arbre)[0];
    const commence = (l) => nu(nomDe(l).textContent).startsWith(this.tape);
    if (this.tape.length > 1 && commence(li)) return ligneDe(li);
    for (let l = this.suivante(li) ?? premiere; l !== li; l = this.suivante(l) ?? premiere) if (commence(l)) return ligneDe(l);
    return null;
  }

  // Keeps the rows whose name or state holds every word, what is above them and what is below; then all is as it was.
  filtrer(texte) {
    const mots = nu(texte).split(/\s+/).filter(Boolean);
    if (mots.length) this.avant ??= [...this.branches].map((li) => [li, !this.estPliee(li)]);
    let n = 0;
    const voir = (li, dedans) => {
      const mien = mots.every((m) => nu(`${nomDe(li).textContent} ${ligneDe(li).querySelector('.arbre-etats')?.textContent ?? ''}`).includes(m));
      let dessous = false;
      for (const enfant of sousDe(li)?.children ?? []) dessous = voir(enfant, dedans || mien) || dessous;
      li.hidden = !mien && !dessous && !dedans;
      if (mots.length && dessous) this.ouvrir(li, true);
      if (mien) n += 1;
      return mien || dessous;
    };
    for (const li of this.arbre.children) voir(li, false);
    if (!mots.length) { for (const [li, ouvert] of this.avant ?? []) this.ouvrir(li, ouvert); this.avant = null; }
    const annonce = this.querySelector('[data-arbre-annonce]');
    annonce.textContent = mots.length ? `${n || 'Aucune'} fiche${n > 1 ? 's' : ''} sur ce filtre` : '';
    if (this.courante.closest('[hidden]')) this.choisir(ligneDe(visibles(this.arbre)[0] ?? this.arbre.firstElementChild));
  }
}
customElements.define('ror-arbre', Arbre);
