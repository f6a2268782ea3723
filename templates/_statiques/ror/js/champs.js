// Fields: coded multi-select, rows. The server's HTML is the field; these modules only make it quick.

const plier = (t) => t.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase().replace(/[’'-]/g, ' ');
const icone = (nom) => window.rorIcone(nom);
const annoncer = (t) => window.rorAnnoncer(t);

function puce(libelle, retirer, ferme) {
  const li = document.createElement('li');
  li.className = 'puce';
  const mot = document.createElement('span');
  mot.textContent = libelle;
  li.append(mot);
  if (ferme) li.append(ferme.cloneNode(true));
  const b = document.createElement('button');
  b.type = 'button';
  b.className = 'puce-retirer';
  b.setAttribute('aria-label', `Retirer ${libelle}`);
  b.append(icone('croix'));
  b.addEventListener('click', () => {
    const suivant = li.nextElementSibling ?? li.previousElementSibling;
    const cible = suivant?.querySelector('.puce-retirer');
    const champ = li.closest('ror-choix, ror-communes');
    retirer(li);
    annoncer(`${libelle} : retiré`);
    (cible ?? champ.querySelector('summary, [data-communes-saisie]')).focus();
    champ.dispatchEvent(new Event('change', { bubbles: true }));
  });
  li.append(b);
  return li;
}
window.rorPuce = puce;

class Choix extends HTMLElement {
  connectedCallback() {
    if (this.dataset.pret) return;
    this.dataset.pret = '1';
    this.details = this.querySelector('[data-choix-details]');
    this.puces = this.querySelector('[data-choix-puces]');
    this.filtre = this.querySelector('[data-choix-filtre]');
    this.compte = this.querySelector('[data-choix-compte]');
    this.rien = this.querySelector('[data-choix-rien]');
    this.cases = [...this.querySelectorAll('[data-choix-liste] input')];
    this.gardees = new Set(this.cases.filter((c) => c.checked));
    this.dessiner();
    this.details.addEventListener('toggle', () => {
      if (this.details.open) {
        this.textes ??= this.cases.map((c) => ` ${plier(c.parentElement.textContent).replace(/[^a-z0-9]+/g, ' ')}`);
        this.filtre.focus();
        this.compter();
      } else {
        this.ajouter(false);
      }
    });
    this.filtre.addEventListener('input', () => this.filtrer());
    this.filtre.addEventListener('keydown', (e) => {
      if (e.key === 'Enter') {
        e.preventDefault();
        const visibles = this.cases.filter((c) => !c.closest('li').hidden);
        if (visibles.length === 1) { visibles[0].checked = !visibles[0].checked; this.compter(); }
      } else if (e.key === 'ArrowDown') {
        e.preventDefault();
        this.cases.find((c) => !c.closest('li').hidden)?.focus();
      }
    });
    this.querySelector('[data-choix-liste]').addEventListener('keydown', (e) => this.fleches(e));
    this.querySelector('[data-choix-liste]').addEventListener('change', (e) => { e.stopPropagation(); this.compter(); });
    this.querySelector('[data-choix-ajouter]').addEventListener('click', () => { this.ajouter(true); this.details.open = false; this.details.querySelector('summary').focus(); });
    this.querySelector('[data-choix-annuler]').addEventListener('click', () => this.annuler());
    this.addEventListener('keydown', (e) => {
      if (e.key === 'Escape' && this.details.open) { e.stopPropagation(); this.annuler(); }
    });
  }

  fleches(e) {
    if (e.key !== 'ArrowDown' && e.key !== 'ArrowUp') return;
    const visibles = this.cases.filter((c) => !c.closest('li').hidden);
    const cible = visibles[visibles.indexOf(e.target) + (e.key === 'ArrowDown' ? 1 : -1)];
    e.preventDefault();
    (cible ?? (e.key === 'ArrowUp' ? this.filtre : e.target)).focus();
  }

  filtrer() {
    const mots = plier(this.filtre.value).split(/[^a-z0-9]+/).filter(Boolean);
    let n = 0;
    this.cases.forEach((c, i) => {
      const montre = mots.every((m) => this.textes[i].includes(` ${m}`));
      c.closest('li').hidden = !montre;
      if (montre) n += 1;
    });
    this.rien.hidden = n > 0;
    this.compter(n);
  }

  compter(trouves) {
    const n = this.cases.filter((c) => c.checked && !this.gardees.has(c)).length;
    const mots = n ? `${n} à ajouter` : 'Cochez puis ajoutez';
    this.compte.textContent = trouves === undefined ? mots : `${trouves} valeur${trouves > 1 ? 's' : ''} · ${mots}`;
  }

  ajouter(dire) {
    const avant = this.gardees;
    this.gardees = new Set(this.cases.filter((c) => c.checked));
    const change = avant.size !== this.gardees.size || [...avant].some((c) => !this.gardees.has(c));
    if (!change) return;
    this.dessiner();
    if (dire) annoncer(`${this.gardees.size} valeur${this.gardees.size > 1 ? 's' : ''} choisie${this.gardees.size > 1 ? 's' : ''}`);
    this.dispatchEvent(new Event('change', { bubbles: true }));
  }

  annuler() {
    for (const c of this.cases) c.checked = this.gardees.has(c);
    this.details.open = false;
    this.details.querySelector('summary').focus();
  }

  dessiner() {
    this.puces.replaceChildren(...[...this.gardees].map((c) => {
      const mot = c.nextElementSibling;
      const ferme = mot.querySelector('.puce-ferme');
      return puce(mot.firstChild.textContent.trim(), (li) => { c.checked = false; this.gardees.delete(c); li.remove(); }, ferme);
    }));
  }
}
customElements.define('ror-choix', Choix);

class Lignes extends HTMLElement {
  connectedCallback() {
    if (this.dataset.pret) return;
    this.dataset.pret = '1';
    this.liste = this.querySelector(':scope > [data-lignes-liste]');
    this.modele = this.querySelector(':scope > template[data-lignes-modele]');
    this.prochain = this.liste.children.length + 1;
    for (const l of this.liste.children) this.equiper(l);
    this.querySelector(':scope > [data-lignes-ajouter]').addEventListener('click', () => this.ajouter());
  }

  ajouter() {
    const n = String(this.prochain);
    this.prochain += 1;
    const boite = document.createElement('template');
    boite.innerHTML = this.modele.innerHTML.replaceAll(this.dataset.jeton, n);
    const ligne = boite.content.firstElementChild;
    ligne.setAttribute('aria-label', `${this.dataset.mot} ${this.liste.children.length + 1}`);
    this.liste.append(ligne);
    this.equiper(ligne);
    ligne.querySelector('input:not([type=hidden]), select, textarea')?.focus();
    this.dispatchEvent(new Event('change', { bubbles: true }));
  }

  equiper(ligne) {
    const zone = ligne.querySelector(':scope > .ligne-retirer');
    const retiree = zone.querySelector('[data-ligne-retirer]');
    const etiquette = retiree.closest('label');
    etiquette.classList.add('visually-hidden');
    retiree.tabIndex = -1;
    retiree.setAttribute('aria-hidden', 'true');
    etiquette.setAttribute('aria-hidden', 'true');
    const b = document.createElement('button');
    b.type = 'button';
    b.className = 'bouton bouton-discret bouton-petit';
    const nom = ligne.getAttribute('aria-label');
    const mot = document.createElement('span');
    mot.textContent = etiquette.textContent.trim();
    b.setAttribute('aria-label', `${mot.textContent} : ${nom.toLowerCase()}`);
    b.append(icone('corbeille'), mot);
    zone.append(b);
    const cellules = ligne.querySelector(':scope > .ligne-cellules');
    const rendre = () => {
      cellules.hidden = retiree.checked;
      cellules.classList.toggle('d-none', retiree.checked);
      ligne.classList.toggle('ligne-retiree', retiree.checked);
      zone.querySelector('.ligne-retiree-mot')?.remove();
      b.hidden = retiree.checked;
      b.classList.toggle('d-none', retiree.checked);
      if (!retiree.checked) return;
      const p = document.createElement('span');
      p.className = 'ligne-retiree-mot';
      p.append(`${nom} : sera retiré à l’enregistrement.`);
      const annuler = document.createElement('button');
      annuler.type = 'button';
      annuler.className = 'bouton bouton-secondaire bouton-petit';
      annuler.append(icone('demi-tour'), 'Annuler');
      annuler.addEventListener('click', () => { retiree.checked = false; rendre(); b.focus(); });
      p.append(annuler);
      zone.append(p);
    };
    b.addEventListener('click', () => {
      retiree.checked = true;
      rendre();
      zone.querySelector('.ligne-retiree-mot button').focus();
      annoncer(`${nom} retiré. Vous pouvez annuler.`);
      this.dispatchEvent(new Event('change', { bubbles: true }));
    });
    if (retiree.checked) rendre();
  }
}
customElements.define('ror-lignes', Lignes);
