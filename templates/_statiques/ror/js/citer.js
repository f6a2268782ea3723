// « @ » in a comment proposes the people of the boxes below it. Without this file the boxes and the plain text do it.

const plier = (t) => t.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase();
let numero = 0;

class Citer extends HTMLElement {
  connectedCallback() {
    this.texte = this.querySelector('textarea');
    this.noms = new Map([...this.querySelectorAll('.citer-personnes label')].map(({ children: [nom, role] }) => [nom.textContent, role?.textContent ?? '']));
    if (!this.texte || !this.noms.size || this.liste) return;
    this.liste = Object.assign(document.createElement('ul'), { id: `citer-${numero += 1}`, className: 'citer-liste', hidden: true });
    this.liste.setAttribute('role', 'listbox');
    this.liste.setAttribute('aria-label', 'Personnes à citer');
    this.texte.closest('.champ').after(this.liste);
    this.texte.setAttribute('aria-autocomplete', 'list');
    this.texte.setAttribute('aria-controls', this.liste.id);
    this.texte.addEventListener('input', () => this.chercher());
    this.texte.addEventListener('keydown', (e) => this.touche(e));
    this.texte.addEventListener('blur', () => this.fermer());
    this.liste.addEventListener('mousedown', (e) => e.preventDefault());
    this.liste.addEventListener('click', (e) => { const li = e.target.closest('[role="option"]'); if (li) this.choisir(li); });
  }

  /** What is typed after the last « @ » before the caret; null when one is not naming anybody. */
  get debut() {
    const avant = this.texte.value.slice(0, this.texte.selectionStart);
    return avant.match(/(?:^|[^\p{L}\p{N}])@([^@\n]{0,60})$/u)?.[1] ?? null;
  }

  chercher() {
    const debut = this.debut;
    const mots = debut === null ? null : plier(debut).split(/\s+/).filter(Boolean);
    const trouves = mots ? [...this.noms.keys()].filter((n) => mots.every((m) => plier(n).split(/[\s(-]+/).some((p) => p.startsWith(m)))).slice(0, 8) : [];
    if (!trouves.length) { this.fermer(); return; }
    this.liste.replaceChildren(...trouves.map((nom, i) => {
      const li = Object.assign(document.createElement('li'), { id: `${this.liste.id}-${i}` });
      li.dataset.nom = nom;
      li.append(nom, ' ', Object.assign(document.createElement('small'), { textContent: this.noms.get(nom) }));
      li.setAttribute('role', 'option');
      return li;
    }));
    this.liste.hidden = false;
    this.activer(this.liste.firstElementChild);
    window.rorAnnoncer?.(`${trouves.length} personne${trouves.length > 1 ? 's' : ''} à citer, flèches pour choisir, Entrée pour citer.`);
  }

  activer(li) {
    for (const autre of this.liste.children) autre.setAttribute('aria-selected', String(autre === li));
    this.texte.setAttribute('aria-activedescendant', li.id);
    li.scrollIntoView({ block: 'nearest' });
  }

  touche(e) {
    if (this.liste.hidden) return;
    const options = [...this.liste.children];
    const ici = options.findIndex((o) => o.getAttribute('aria-selected') === 'true');
    if (e.key === 'ArrowDown') this.activer(options[(ici + 1) % options.length]);
    else if (e.key === 'ArrowUp') this.activer(options.at(ici - 1));
    else if (e.key === 'Enter') this.choisir(options[ici]);
    else if (e.key === 'Escape') this.fermer();
    else return;
    e.preventDefault();
    e.stopPropagation();
  }

  choisir(li) {
    const fin = this.texte.selectionStart;
    this.texte.setRangeText(`${li.dataset.nom} `, fin - this.debut.length, fin, 'end');
    this.fermer();
    this.texte.focus();
  }

  fermer() {
    this.liste.hidden = true;
    this.texte.removeAttribute('aria-activedescendant');
  }
}
customElements.define('ror-citer', Citer);
