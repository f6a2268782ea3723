// The tree: a nested list that this file makes a treegrid (WAI-ARIA APG): arrows, Home, End, a letter, Enter; folding; a filter;
// lines chosen together (data-selection), a menu read when it is opened (data-menu), lines that change place (poser).
// Folded branches stay findable by the browser (hidden=until-found) and get their roles when they are unfolded.

const nu = (t) => t.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase();
const ligneDe = (li) => li.firstElementChild;
const sousDe = (li) => (li.lastElementChild.localName === 'ul' ? li.lastElementChild : null);
const nomDe = (li) => ligneDe(li).querySelector('.arbre-nom');
const outilsDe = (li) => [...ligneDe(li).querySelectorAll('a.arbre-nom, summary')];
const visibles = (ul) => [...ul.children].filter((li) => !li.hidden);
const cleDe = (li) => nomDe(li).id.replace('fiche-', '');

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
    this.choisies = new Set();
    if (this.dataset.selection) grille.setAttribute('aria-multiselectable', 'true');
    // On a phone a long tree shows its first levels and what waits (data-plier: where that is wanted).
    if (this.dataset.plier && matchMedia('(max-width: 575px)').matches) {
      for (const li of this.arbre.querySelectorAll('li li:has(> ul):not(:has(ul :is(.i-attente, .i-coche, .arbre-actif)))')) li.classList.add('arbre-ferme');
    }
    for (const li of this.arbre.querySelectorAll('.arbre-ferme')) {
      li.classList.remove('arbre-ferme');
      sousDe(li).setAttribute('hidden', 'until-found');
    }
    this.equiper(this.arbre, 1);
    const actif = this.arbre.querySelector('.arbre-actif');
    if (actif) this.montrer(actif.parentElement);
    this.choisir(actif ?? ligneDe(this.arbre.firstElementChild));
    this.addEventListener('click', (e) => {
      const bascule = e.target.closest('.arbre-bascule');
      if (bascule) { const li = bascule.closest('li'); this.ouvrir(li, this.estPliee(li)); }
      const tout = e.target.closest('[data-arbre-tout]');
      if (tout) for (const li of this.branches) this.ouvrir(li, tout.dataset.arbreTout === 'ouvrir');
      const boite = e.target.closest('.arbre-case');
      if (boite) this.choisirLigne(boite.closest('li'), boite.checked, e.shiftKey);
      const menu = e.target.closest('.arbre-menu > [data-lu] > summary');
      if (menu && !menu.parentElement.open) { e.preventDefault(); this.lireMenu(menu.parentElement); }
    });
    this.arbre.addEventListener('beforematch', (e) => this.ouvrir(e.target.parentElement, true));
    this.arbre.addEventListener('keydown', (e) => this.touche(e));
    this.arbre.addEventListener('focusin', (e) => this.choisir(e.target.closest('.arbre-ligne')));
    if (this.dataset.selection) this.direSelection();
    const filtre = this.querySelector('[data-arbre-filtre]');
    filtre?.addEventListener('input', () => { clearTimeout(this.attente); this.attente = setTimeout(() => this.filtrer(filtre.value), filtre.value ? 120 : 0); });
  }

  // Roles, levels and positions of the lines of a list; what is folded waits.
  equiper(ul, niveau) {
    const { length } = ul.children;
    [...ul.children].forEach((li, i) => {
      const ligne = ligneDe(li);
      const sous = sousDe(li);
      if (!ligne.role) this.equiperLigne(li, ligne);
      for (const [cle, valeur] of [['aria-level', niveau], ['aria-posinset', i + 1], ['aria-setsize', length]]) ligne.setAttribute(cle, valeur);
      const bascule = ligne.querySelector('.arbre-bascule');
      if (!sous) {
        bascule?.remove();
        ligne.removeAttribute('aria-expanded');
        return;
      }
      sous.setAttribute('role', 'none');
      if (!bascule) {
        const neuve = document.createElement('button');
        neuve.type = 'button';
        neuve.className = 'arbre-bascule';
        neuve.tabIndex = -1;
        ligne.firstElementChild.prepend(neuve);
      }
      this.ouvrir(li, !this.estPliee(li));
    });
  }

  // One line: its role, the box that chooses it, its menu, the words of its level on hover.
  equiperLigne(li, ligne) {
    const nom = nomDe(li).textContent;
    li.setAttribute('role', 'none');
    if (this.dataset.menu) ligne.append(this.menu(nom));
    ligne.setAttribute('role', 'row');
    ligne.tabIndex = -1;
    for (const cellule of ligne.children) cellule.setAttribute('role', 'gridcell');
    for (const outil of outilsDe(li)) outil.tabIndex = -1;
    const abrege = ligne.querySelector('abbr');
    abrege.title = this.niveaux[abrege.textContent] ?? '';
    if (!this.dataset.selection || li.parentElement === this.arbre) return;
    const boite = ligne.querySelector('.arbre-case') ?? document.createElement('input');
    boite.type = 'checkbox';
    boite.className = 'arbre-case';
    boite.tabIndex = -1;
    boite.setAttribute('aria-label', `Sélectionner ${nom}`);
    abrege.before(boite);
    this.marquer(li, this.choisies.has(cleDe(li)));
  }

  menu(nom) {
    const cellule = document.createElement('div');
    cellule.className = 'arbre-menu';
    cellule.innerHTML = '<details class="deroulant" data-ror-deroulant data-lu><summary class="bouton bouton-discret bouton-icone"></summary><div class="deroulant-panneau"></div></details>';
    const bouton = cellule.querySelector('summary');
    bouton.setAttribute('aria-label', `Actions sur ${nom}`);
    bouton.title = `Actions sur ${nom}`;
    bouton.append(window.rorIcone('plus-actions'));
    return cellule;
  }

  // The menu is read each time: what is possible changes with every gesture.
  async lireMenu(details) {
    const panneau = details.querySelector('.deroulant-panneau');
    panneau.replaceChildren();
    await window.htmx.ajax('GET', this.dataset.menu.replace('/0/', `/${cleDe(details.closest('li'))}/`), { source: panneau, target: panneau });
    if (!panneau.childElementCount) return;
    for (const autre of this.querySelectorAll('details[open]')) autre.open = false;
    details.open = true;
    panneau.querySelector('a, button')?.focus();
  }

  get branches() { return this.arbre.querySelectorAll('li:has(> ul)'); }

  estPliee(li) { return sousDe(li)?.hasAttribute('hidden') ?? false; }

  ouvrir(li, ouvert) {
    const sous = sousDe(li);
    if (!sous) return;
    if (ouvert) sous.removeAttribute('hidden');
    else sous.setAttribute('hidden', 'until-found');
    const ligne = ligneDe(li);
    if (!ligne.role) return; // its turn comes when what is above it is unfolded
    if (ouvert && !ligneDe(sous.lastElementChild).role) this.equiper(sous, Number(ligne.getAttribute('aria-level')) + 1);
    ligne.setAttribute('aria-expanded', String(ouvert));
    ligne.querySelector('.arbre-bascule').setAttribute('aria-label', ouvert ? 'Replier' : 'Déplier');
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
    if (!ligne || e.altKey || e.target.closest('.deroulant[open]')) return;
    if ((e.ctrlKey || e.metaKey) && e.key !== 'a') return;
    const li = ligne.parentElement;
    const surLigne = e.target === ligne;
    if (surLigne && this.toucheDeSelection(e, li)) { e.preventDefault(); return; }
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
      default: but = surLigne && e.key.length === 1 && e.key !== '?' && (e.key !== ' ' || this.tape) && !e.ctrlKey && !e.metaKey ? this.parLettre(li, e.key) : null;
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

  retient(li, mots = this.mots) {
    const texte = nu(`${nomDe(li).textContent} ${ligneDe(li).querySelector('.arbre-etats')?.textContent ?? ''}`);
    return mots.every((m) => texte.includes(m));
  }

  // Keeps the rows whose name or state holds every word, what is above them and what is below; then all is as it was.
  filtrer(texte) {
    const mots = nu(texte).split(/\s+/).filter(Boolean);
    if (mots.length) this.avant ??= [...this.branches].map((li) => [li, !this.estPliee(li)]);
    let n = 0;
    const voir = (li, dedans) => {
      const mien = this.retient(li, mots);
      let dessous = false;
      for (const enfant of sousDe(li)?.children ?? []) dessous = voir(enfant, dedans || mien) || dessous;
      li.hidden = !mien && !dessous && !dedans;
      if (li.hidden) this.marquer(li, false);
      if (mots.length && dessous) this.ouvrir(li, true);
      if (mien) n += 1;
      return mien || dessous;
    };
    for (const li of this.arbre.children) voir(li, false);
    if (!mots.length) { for (const [li, ouvert] of this.avant ?? []) this.ouvrir(li, ouvert); this.avant = null; }
    const annonce = this.querySelector('[data-arbre-annonce]');
    this.direSelection();
    annonce.textContent = mots.length ? `${n || 'Aucune'} fiche${n > 1 ? 's' : ''} sur ce filtre` : '';
    this.mots = mots;
    if (this.courante.closest('[hidden]')) this.choisir(ligneDe(visibles(this.arbre)[0] ?? this.arbre.firstElementChild));
  }

  // -- Lines chosen together: a box, Space, Shift for a range, Ctrl+A, Escape ------------------------

  marquer(li, choisie) {
    const boite = ligneDe(li).querySelector('.arbre-case');
    if (boite) {
      boite.checked = choisie;
      ligneDe(li).setAttribute('aria-selected', String(choisie));
    }
    if (choisie) this.choisies.add(cleDe(li));
    else this.choisies.delete(cleDe(li));
  }

  direSelection() { this.dispatchEvent(new CustomEvent('arbre:selection', { bubbles: true, detail: [...this.choisies] })); }

  choisirLigne(li, choisie, plage = false) {
    const lignes = plage && this.ancre?.isConnected ? this.entre(this.ancre, li) : [li];
    for (const l of lignes) if (l.parentElement !== this.arbre) this.marquer(l, choisie);
    if (!plage) this.ancre = li;
    this.direSelection();
  }

  // The lines that show from one to the other, both included.
  entre(un, deux) {
    const [haut, bas] = un.compareDocumentPosition(deux) & Node.DOCUMENT_POSITION_PRECEDING ? [deux, un] : [un, deux];
    const lignes = [haut];
    for (let l = haut; l && l !== bas;) { l = this.suivante(l); if (l) lignes.push(l); }
    return lignes;
  }

  // All that the filters keep, folded or not.
  toutChoisir() {
    for (const li of this.arbre.querySelectorAll('li li')) {
      const retenue = !li.closest('li[hidden]') && !ligneDe(li).classList.contains('arbre-hors') && (!this.mots?.length || this.retient(li));
      if (retenue) this.marquer(li, true);
    }
    this.direSelection();
  }

  viderSelection() {
    for (const cle of this.choisies) this.marquer(this.ligne(cle), false);
    this.direSelection();
  }

  toucheDeSelection(e, li) {
    if (!this.dataset.selection) return false;
    if (e.key === ' ' && !this.tape) this.choisirLigne(li, e.shiftKey || !this.choisies.has(cleDe(li)), e.shiftKey);
    else if (e.key === 'a' && (e.ctrlKey || e.metaKey)) this.toutChoisir();
    else if (e.key === 'Escape' && this.choisies.size) this.viderSelection();
    else if (e.shiftKey && ['ArrowDown', 'ArrowUp'].includes(e.key)) {
      const but = e.key === 'ArrowDown' ? this.suivante(li) : this.precedente(li);
      if (!this.choisies.has(cleDe(li))) this.choisirLigne(li, true);
      if (but) { this.choisirLigne(but, true, true); ligneDe(but).focus(); }
    } else return false;
    return true;
  }

  // -- Lines that changed (data-sous, data-apres: socle/arbre.py) or went ----------------------------

  ligne(cle) { return document.getElementById(`fiche-${cle}`)?.closest('li'); }

  poser(neuves, retirees) {
    const parents = new Set();
    const vers = this.courante && cleDe(this.courante.parentElement);
    const focus = this.courante?.contains(document.activeElement);
    const oter = (li) => { parents.add(li.parentElement); li.remove(); };
    for (const neuve of neuves) {
      const li = this.ligne(cleDe(neuve)) ?? neuve;
      const racine = li.parentElement === this.arbre;
      const haut = this.ligne(neuve.dataset.sous);
      if (!racine && !haut) { if (li !== neuve) oter(li); continue; } // under what this filter does not show
      if (li !== neuve) ligneDe(li).replaceWith(ligneDe(neuve));
      if (racine) { parents.add(this.arbre); continue; }
      if (!sousDe(haut)) haut.append(document.createElement('ul'));
      const ul = sousDe(haut);
      const avant = this.ligne(neuve.dataset.apres);
      if (li.parentElement) parents.add(li.parentElement);
      if (avant?.parentElement === ul) { if (avant.nextElementSibling !== li) avant.after(li); }
      else if (li.parentElement !== ul) { if (neuve.dataset.apres === '0') ul.prepend(li); else ul.append(li); }
      parents.add(ul).add(haut.parentElement);
      window.htmx?.process(ligneDe(li));
    }
    for (const cle of retirees) {
      this.choisies.delete(cle);
      const li = this.ligne(cle);
      if (li) oter(li);
    }
    for (const ul of parents) {
      if (!ul.isConnected) continue;
      const li = ul.closest('li');
      if (!ul.childElementCount && li) { parents.add(li.parentElement); ul.remove(); continue; }
      const niveau = li ? Number(ligneDe(li).getAttribute('aria-level')) + 1 : 1;
      if (!li || ligneDe(li).role) this.equiper(ul, niveau);
    }
    const reste = (vers && this.ligne(vers)) || this.arbre.firstElementChild;
    this.courante = null;
    this.choisir(ligneDe(reste));
    if (focus) ligneDe(reste).focus({ preventScroll: true });
    this.direSelection();
  }
}
customElements.define('ror-arbre', Arbre);
