// Communes: chips and a combobox over the field « Ajouter une commune ». The server's HTML is the field.

const puce = (libelle, retirer) => window.rorPuce(libelle, retirer);

class Communes extends HTMLElement {
  connectedCallback() {
    if (this.dataset.pret || !this.dataset.url) return;
    this.dataset.pret = '1';
    this.puces = this.querySelector('[data-communes-puces]');
    this.saisie = this.querySelector('[data-communes-saisie]');
    this.liste = this.querySelector('[data-communes-liste]');
    this.annonce = this.querySelector('[data-communes-annonce]');
    for (const li of [...this.puces.children]) {
      const c = li.querySelector('input');
      li.replaceWith(this.chip(c.value, li.textContent.trim()));
    }
    const s = this.saisie;
    s.setAttribute('role', 'combobox');
    s.setAttribute('aria-autocomplete', 'list');
    s.setAttribute('aria-expanded', 'false');
    s.setAttribute('aria-controls', this.liste.id);
    s.addEventListener('input', () => { clearTimeout(this.attente); this.attente = setTimeout(() => this.chercher(), 180); });
    s.addEventListener('keydown', (e) => this.touche(e));
    s.addEventListener('blur', () => setTimeout(() => this.fermer(), 150));
    this.liste.addEventListener('mousedown', (e) => e.preventDefault());
    this.liste.addEventListener('click', (e) => { const li = e.target.closest('[data-code]'); if (li) this.choisir(li); });
  }

  get codes() { return [...this.puces.querySelectorAll('input')].map((i) => i.value); }

  chip(code, libelle) {
    const li = puce(libelle, (x) => x.remove());
    const champ = document.createElement('input');
    champ.type = 'hidden';
    champ.name = this.dataset.nom;
    champ.value = code;
    li.prepend(champ);
    return li;
  }

  async chercher() {
    const q = this.saisie.value.trim();
    if (q.length < 2) { this.fermer(); return; }
    this.abandon?.abort();
    this.abandon = new AbortController();
    let donnees;
    try {
      const url = new URL(this.dataset.url, location.href);
      url.searchParams.set('q', q);
      const r = await fetch(url, { signal: this.abandon.signal, headers: { Accept: 'application/json' } });
      if (!r.ok) throw new Error(r.status);
      donnees = await r.json();
    } catch (e) {
      if (e.name !== 'AbortError') this.montrer([], 'La recherche ne répond pas. Écrivez le code INSEE, il sera vérifié à l’enregistrement.');
      return;
    }
    this.montrer(donnees.resultats, `Aucune commune pour « ${q} »`, donnees.reste);
  }

  montrer(resultats, siVide, reste) {
    const pris = new Set(this.codes);
    this.liste.replaceChildren(...resultats.map((r, i) => {
      const li = document.createElement('li');
      li.id = `${this.liste.id}_${i}`;
      li.setAttribute('role', 'option');
      li.textContent = r.libelle;
      if (pris.has(r.code)) {
        li.setAttribute('aria-disabled', 'true');
        li.append(' – déjà dans la liste');
      } else {
        li.dataset.code = r.code;
        li.dataset.libelle = r.libelle;
      }
      return li;
    }));
    if (!resultats.length) this.liste.append(Object.assign(document.createElement('li'), { textContent: siVide, role: 'option', ariaDisabled: 'true' }));
    this.liste.hidden = false;
    this.saisie.setAttribute('aria-expanded', 'true');
    this.activer(this.liste.querySelector('[data-code]'));
    const n = resultats.length;
    this.annonce.textContent = n ? `${n} commune${n > 1 ? 's' : ''}${reste ? `, ${reste} autres : précisez` : ''}` : siVide;
  }

  activer(li) {
    this.liste.querySelector('[aria-selected="true"]')?.removeAttribute('aria-selected');
    if (li) {
      li.setAttribute('aria-selected', 'true');
      li.scrollIntoView({ block: 'nearest' });
      this.saisie.setAttribute('aria-activedescendant', li.id);
    } else {
      this.saisie.removeAttribute('aria-activedescendant');
    }
  }

  touche(e) {
    const options = [...this.liste.querySelectorAll('[data-code]')];
    const actif = options.findIndex((o) => o.getAttribute('aria-selected') === 'true');
    if (e.key === 'Escape' && !this.liste.hidden) { e.stopPropagation(); this.fermer(); }
    else if (this.liste.hidden) { if (e.key === 'Enter' && this.saisie.value.trim()) { e.preventDefault(); this.chercher(); } }
    else if (e.key === 'ArrowDown') { e.preventDefault(); this.activer(options[(actif + 1) % options.length]); }
    else if (e.key === 'ArrowUp') { e.preventDefault(); this.activer(options.at(actif - 1)); }
    else if (e.key === 'Enter') { e.preventDefault(); if (options[actif]) this.choisir(options[actif]); }
  }

  choisir(li) {
    this.puces.append(this.chip(li.dataset.code, li.dataset.libelle));
    this.saisie.value = '';
    this.saisie.removeAttribute('aria-invalid');
    this.fermer();
    this.annonce.textContent = `${li.dataset.libelle} : ajoutée`;
    this.dispatchEvent(new Event('change', { bubbles: true }));
  }

  fermer() {
    this.liste.hidden = true;
    this.saisie.setAttribute('aria-expanded', 'false');
    this.saisie.removeAttribute('aria-activedescendant');
  }
}
customElements.define('ror-communes', Communes);
