// Commune picker: chips and a combobox over the field of the server. One hidden value may hold several codes.

const puce = (libelle, retirer) => window.rorPuce(libelle, retirer);
const pluriel = (n) => (n > 1 ? 's' : '');

class Communes extends HTMLElement {
  connectedCallback() {
    if (this.dataset.pret || !this.dataset.url) return;
    this.dataset.pret = '1';
    this.puces = this.querySelector('[data-communes-puces]');
    this.groupes = this.querySelector('[data-communes-groupes]');
    this.saisie = this.querySelector('[data-communes-saisie]');
    this.liste = this.querySelector('[data-communes-liste]');
    this.annonce = this.querySelector('[data-communes-annonce]');
    this.querySelector('[data-communes-aide]')?.remove();
    for (const li of [...this.puces.children]) li.replaceWith(this.chip(li.querySelector('input').value, li.textContent.trim()));
    for (const li of [...this.groupes.children]) this.equiper(li);
    const ajouter = this.querySelector('[data-communes-ajouter]');
    ajouter.type = 'button'; // the list answers without leaving the page
    ajouter.addEventListener('click', () => {
      const actif = this.liste.hidden ? null : this.liste.querySelector('[aria-selected="true"]');
      if (actif) this.choisir(actif); else this.chercher();
      this.saisie.focus();
    });
    const s = this.saisie;
    s.setAttribute('role', 'combobox');
    s.setAttribute('aria-autocomplete', 'list');
    s.setAttribute('aria-expanded', 'false');
    s.setAttribute('aria-controls', this.liste.id);
    s.addEventListener('input', () => { clearTimeout(this.attente); this.attente = setTimeout(() => this.chercher(), 180); });
    s.addEventListener('keydown', (e) => this.touche(e));
    s.addEventListener('blur', () => setTimeout(() => { if (document.activeElement !== ajouter) this.fermer(); }, 150));
    this.liste.addEventListener('mousedown', (e) => e.preventDefault());
    this.liste.addEventListener('click', (e) => { const li = e.target.closest('[data-codes]'); if (li) this.choisir(li); });
  }

  get codes() {
    return [...this.querySelectorAll(`input[type="hidden"][name="${this.dataset.nom}"]`)].flatMap((i) => i.value.split(' '));
  }

  chip(codes, libelle) {
    const li = puce(libelle, (x) => { x.remove(); this.compter(); });
    li.prepend(this.valeur(codes));
    return li;
  }

  valeur(codes) {
    return Object.assign(document.createElement('input'), { type: 'hidden', name: this.dataset.nom, value: codes });
  }

  // A group of the server: its box becomes a chip that takes the whole group off, its communes become chips too.
  equiper(li) {
    const titre = li.querySelector(':scope > label');
    const nom = titre.textContent.trim();
    const departement = nom.slice(0, nom.lastIndexOf(' : '));
    const tete = puce(nom, () => { li.remove(); this.compter(); });
    const valeur = this.valeur(titre.querySelector('input').value);
    tete.prepend(valeur);
    const entete = document.createElement('ul');
    entete.className = 'puces';
    entete.append(tete);
    titre.replaceWith(entete);
    for (const commune of li.querySelectorAll('details li')) {
      const code = commune.querySelector('input').value;
      commune.querySelector('.visually-hidden').remove();
      commune.replaceWith(puce(commune.textContent.trim(), (x) => {
        x.remove();
        const reste = valeur.value.split(' ').filter((c) => c !== code);
        valeur.value = reste.join(' ');
        tete.querySelector('span').textContent = `${departement} : ${reste.length} commune${pluriel(reste.length)}`;
        if (!reste.length) li.remove();
        this.compter();
      }));
    }
  }

  compter() {
    const mot = this.querySelector('.communes-nombre strong');
    const n = this.codes.length;
    if (mot) mot.textContent = `${n.toLocaleString('fr')} commune${pluriel(n)}`;
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
      if (this.dataset.lots) url.searchParams.set('lots', '1');
      const r = await fetch(url, { signal: this.abandon.signal, headers: { Accept: 'application/json' } });
      if (!r.ok) throw new Error(r.status);
      donnees = await r.json();
    } catch (e) {
      if (e.name !== 'AbortError') this.montrer([], 'La recherche ne répond pas. Écrivez le code INSEE, il sera vérifié à l’enregistrement.');
      return;
    }
    const communes = donnees.resultats.map((r) => ({ libelle: r.libelle, codes: [r.code] }));
    const lots = donnees.lots ?? [];
    // A number is first a département, a name is first a commune.
    const ordre = /^\d/.test(q) ? [...lots, ...communes] : [...communes.slice(0, 5), ...lots, ...communes.slice(5)];
    this.montrer(ordre, `Aucune réponse pour « ${q} »`);
  }

  montrer(resultats, siVide) {
    const pris = new Set(this.codes);
    this.liste.replaceChildren(...resultats.map((r, i) => {
      const li = document.createElement('li');
      li.id = `${this.liste.id}_${i}`;
      li.setAttribute('role', 'option');
      li.textContent = r.libelle;
      const nouveaux = r.codes.filter((c) => !pris.has(c));
      const deja = r.codes.length - nouveaux.length;
      if (!nouveaux.length) {
        li.setAttribute('aria-disabled', 'true');
        li.append(' – déjà dans la liste');
        return li;
      }
      if (deja) li.append(` – ${nouveaux.length} à ajouter, ${deja} déjà dans la liste`);
      li.dataset.codes = nouveaux.join(' ');
      li.dataset.libelle = r.libelle;
      li.dataset.deja = deja;
      return li;
    }));
    if (!resultats.length) this.liste.append(Object.assign(document.createElement('li'), { textContent: siVide, role: 'option', ariaDisabled: 'true' }));
    this.liste.hidden = false;
    this.saisie.setAttribute('aria-expanded', 'true');
    this.activer(this.liste.querySelector('[data-codes]'));
    const n = resultats.length;
    this.annonce.textContent = n ? `${n} réponse${pluriel(n)}` : siVide;
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
    const options = [...this.liste.querySelectorAll('[data-codes]')];
    const actif = options.findIndex((o) => o.getAttribute('aria-selected') === 'true');
    if (e.key === 'Escape' && !this.liste.hidden) { e.stopPropagation(); this.fermer(); }
    else if (this.liste.hidden) { if (e.key === 'Enter' && this.saisie.value.trim()) { e.preventDefault(); this.chercher(); } }
    else if (e.key === 'ArrowDown') { e.preventDefault(); this.activer(options[(actif + 1) % options.length]); }
    else if (e.key === 'ArrowUp') { e.preventDefault(); this.activer(options.at(actif - 1)); }
    else if (e.key === 'Enter') { e.preventDefault(); if (options[actif]) this.choisir(options[actif]); }
  }

  choisir(li) {
    const { codes, libelle } = li.dataset;
    const n = codes.split(' ').length;
    const deja = Number(li.dataset.deja);
    this.puces.append(this.chip(codes, deja ? `${libelle}, dont ${n} ajoutée${pluriel(n)}` : libelle));
    this.compter();
    this.saisie.value = '';
    this.saisie.removeAttribute('aria-invalid');
    this.fermer();
    const fin = deja ? `, ${deja} ${deja > 1 ? 'étaient' : 'était'} déjà dans la liste` : '';
    this.annonce.textContent = `${libelle} : ${n} commune${pluriel(n)} ajoutée${pluriel(n)}${fin}`;
    this.dispatchEvent(new Event('change', { bubbles: true }));
  }

  fermer() {
    this.liste.hidden = true;
    this.saisie.setAttribute('aria-expanded', 'false');
    this.saisie.removeAttribute('aria-activedescendant');
  }
}
customElements.define('ror-communes', Communes);
