// The grid of a typical week, over seven text fields that stay the truth (and the way without a pointer).
// Click an hour: a block. Drag its edges or its middle, or use the arrows. « Modifier » closes the grid.

const JOURS = ['lundi', 'mardi', 'mercredi', 'jeudi', 'vendredi', 'samedi', 'dimanche'];
const PAS = 15;
const PX = 32 / 60;
const FIN = 1440;
const icone = (nom) => window.rorIcone(nom);
const hhmm = (m) => `${String(Math.floor(m / 60)).padStart(2, '0')}:${String(m % 60).padStart(2, '0')}`;
const INSECABLE = '\u00a0'; // an hour is never cut in two lines
const mots = (m) => `${Math.floor(m / 60)} h${m % 60 ? ` ${String(m % 60).padStart(2, '0')}` : ''}`;
const court = (m) => `${Math.floor(m / 60)}h${m % 60 ? String(m % 60).padStart(2, '0') : ''}`;
const arrondi = (m) => Math.round(m / PAS) * PAS;
const minutes = (t) => {
  const r = /^\s*(\d{1,2})\s*(?:[:hH.]\s*(\d{1,2})?)?\s*$/.exec(t);
  const m = r ? Number(r[1]) * 60 + Number(r[2] ?? 0) : NaN;
  return m <= FIN ? m : NaN;
};
const lire = (texte) => texte.split(/[,;]/).map((p) => p.split(/-|–|—|à/).map(minutes)).filter(([d, f]) => f > d).sort((a, b) => a[0] - b[0]);
const ecrire = (plages) => plages.map(([d, f]) => `${hhmm(d)}-${hhmm(f)}`).join(', ');
const el = (nom, classe, texte) => {
  const e = document.createElement(nom);
  if (classe) e.className = classe;
  if (texte) e.textContent = texte;
  return e;
};

/** « Lundi à vendredi » → hours, one line for days that follow each other and are alike; closed days left out. */
const resumer = (semaine) => {
  const lignes = [];
  semaine.forEach((plages, i) => {
    const heures = plages.map(([d, f]) => `${mots(d)} – ${mots(f)}`.replaceAll(' ', INSECABLE)).join(', ');
    const dernier = lignes.at(-1);
    if (dernier?.heures === heures && dernier.au === i - 1) dernier.au = i;
    else lignes.push({ du: i, au: i, heures });
  });
  return lignes.filter((l) => l.heures).map(({ du, au, heures }) => [
    du === au ? JOURS[du] : `${JOURS[du]} ${au === du + 1 ? 'et' : 'à'} ${JOURS[au]}`,
    heures === '0 h – 24 h'.replaceAll(' ', INSECABLE) ? '24 h/24' : heures,
  ]);
};

class SemaineEditeur extends HTMLElement {
  connectedCallback() {
    if (this.dataset.pret || typeof HTMLDialogElement === 'undefined') return;
    this.dataset.pret = '1';
    this.champs = [...this.querySelectorAll('[data-semaine-jour]')];
    this.resume = this.querySelector('[data-semaine-resume]');
    this.querySelector('[data-semaine-clavier]').open = this.champs.some((c) => c.hasAttribute('aria-invalid'));
    const b = el('button', 'bouton bouton-secondaire semaine-ouvrir');
    b.type = 'button';
    b.append(icone('calendrier'), el('span', '', 'Semaine type'), el('span', 'visually-hidden', ` : ${this.dataset.type}`));
    b.addEventListener('click', () => this.ouvrir());
    this.ouvreur = b;
    this.resume.after(b);
    this.resume.hidden = false;
    this.addEventListener('input', () => this.montrer());
    this.montrer();
  }

  lire() { return this.champs.map((c) => lire(c.value)); }

  /** What the fields say, in words, above the button. */
  montrer() {
    const lignes = resumer(this.lire());
    const liste = el('dl', 'semaine-lignes');
    for (const [jours, heures] of lignes) liste.append(el('dt', '', jours), el('dd', '', heures));
    this.resume.replaceChildren(lignes.length ? liste : el('p', 'discret', 'Aucun horaire'));
  }

  ouvrir() {
    this.semaine = this.lire();
    this.dialogue ??= this.construire();
    this.dessiner();
    this.choisir(null);
    this.dialogue.showModal();
    const debut = Math.min(...this.semaine.flat().map(([d]) => d), 480);
    this.cadre.scrollTop = Math.max(0, (debut - 60) * PX);
  }

  construire() {
    const d = el('dialog', 'dialogue grille');
    const titre = `Semaine type : ${this.dataset.type}`;
    d.setAttribute('aria-label', titre);
    d.append(el('h2', '', titre));
    const aide = el('p', 'aide grille-aide');
    aide.append(
      el('span', 'grille-souris', 'Cliquez sur une heure pour créer un bloc, puis tirez ses bords. Au clavier : « + » sous le jour, flèches pour déplacer, Maj + flèches pour changer la fin, Suppr pour retirer.'),
      el('span', 'grille-doigt', 'Touchez une heure pour créer un bloc, puis réglez ses heures sous la grille.'),
    );
    d.append(aide);
    d.append(this.tableau());
    this.annonce = el('p', 'visually-hidden');
    this.annonce.setAttribute('aria-live', 'polite');
    const outils = el('div', 'grille-outils');
    outils.append(this.reglage(), this.recopie());
    const actions = el('div', 'dialogue-actions');
    actions.append(
      this.action('bouton-secondaire', 'Annuler', () => d.close('annuler')),
      this.action('bouton-principal', 'Modifier', () => d.close('modifier')),
    );
    d.append(this.annonce, outils, actions);
    d.addEventListener('close', () => {
      if (d.returnValue === 'modifier') this.reporter();
      d.returnValue = '';
      this.ouvreur.focus();
    });
    this.append(d);
    return d;
  }

  reporter() {
    this.champs.forEach((c, i) => {
      c.value = ecrire(this.semaine[i]);
      c.removeAttribute('aria-invalid');
    });
    this.montrer();
    this.dispatchEvent(new Event('change', { bubbles: true }));
    window.rorAnnoncer('Semaine type modifiée. Indiquez la semaine à partir de laquelle elle s’applique.');
    // The next question: from which week.
    const lundi = document.getElementById(`${this.id}_lundi`);
    if (lundi) setTimeout(() => lundi.focus());
  }

  action(classe, texte, faire) {
    const b = el('button', `bouton ${classe}`);
    b.type = 'button';
    b.append(el('span', '', texte));
    b.addEventListener('click', faire);
    return b;
  }

  tableau() {
    this.cadre = el('div', 'grille-cadre');
    this.cadre.tabIndex = 0;
    this.cadre.setAttribute('role', 'group');
    this.cadre.setAttribute('aria-label', 'Grille de la semaine');
    const t = el('div', 'grille-tableau');
    t.append(el('div', 'grille-jour'));
    JOURS.forEach((j, i) => {
      const tete = el('div', 'grille-jour');
      const nom = el('span', '', j.slice(0, 3));
      nom.setAttribute('aria-hidden', 'true');
      const plus = el('button', 'grille-ajouter');
      plus.type = 'button';
      plus.setAttribute('aria-label', `Ajouter un horaire le ${j}`);
      plus.append(icone('ajout'));
      plus.addEventListener('click', () => this.ajouterLibre(i));
      tete.append(nom, plus);
      t.append(tete);
    });
    const heures = el('div', 'grille-heures');
    heures.setAttribute('aria-hidden', 'true');
    for (let h = 0; h < 24; h += 1) heures.append(el('span', '', `${h}h`));
    t.append(heures);
    this.colonnes = JOURS.map((_, i) => {
      const c = el('div', 'grille-colonne');
      c.addEventListener('click', (e) => {
        if (e.target !== c) return;
        const heure = Math.floor(e.offsetY / 32) * 60;
        this.creer(i, heure, heure + 60);
      });
      t.append(c);
      return c;
    });
    this.cadre.append(t);
    return this.cadre;
  }

  /** The hours of the chosen block by lists: for a finger, for a keyboard, for the exact quarter. */
  reglage() {
    const r = el('div', 'grille-reglage');
    this.quel = el('span', 'grille-quel');
    this.bornes = ['de', 'à'].map((mot, i) => {
      const s = el('select');
      s.setAttribute('aria-label', i ? 'Fin' : 'Début');
      s.addEventListener('change', () => this.regler(i, Number(s.value)));
      r.append(...(i ? [el('span', '', mot)] : [this.quel, el('span', '', mot)]), s);
      return s;
    });
    this.oter = this.action('bouton-discret bouton-petit', 'Retirer', () => this.retirer(...this.choisi));
    this.oter.prepend(icone('corbeille'));
    r.append(this.oter);
    this.panneau = r;
    return r;
  }

  choisir(choisi) {
    this.choisi = choisi;
    this.panneau.hidden = !choisi;
    if (!choisi) return;
    const [jour, plage] = choisi;
    const [min, max] = this.place(jour, plage);
    this.quel.textContent = JOURS[jour];
    this.bornes.forEach((s, i) => {
      const [du, au] = i ? [plage[0] + PAS, max] : [min, plage[1] - PAS];
      const heures = new Set([plage[i]]);
      for (let m = Math.ceil(du / PAS) * PAS; m <= au; m += PAS) heures.add(m);
      s.replaceChildren(...[...heures].sort((a, b) => a - b).map((m) => new Option(hhmm(m), m, false, m === plage[i])));
    });
  }

  regler(borne, minutes_) {
    const [jour, plage] = this.choisi;
    plage[borne] = minutes_;
    this.poser(this.bouton(plage), jour, plage);
    this.choisir(this.choisi);
    this.dire(this.nom(jour, plage));
  }

  /** Copy a day to others. */
  recopie() {
    const r = el('div', 'grille-recopie');
    const liste = (nom, choix) => {
      const s = el('select');
      s.setAttribute('aria-label', nom);
      s.append(...choix.map(([v, mot]) => new Option(mot, v)));
      return s;
    };
    const jours = JOURS.map((j, i) => [String(i), j]);
    const de = liste('Jour à recopier', jours);
    const vers = liste('Vers', [['1234', 'mardi à vendredi'], ['0123456', 'tous les jours'], ...jours]);
    r.append(el('span', '', 'Recopier le'), de, el('span', '', 'vers'), vers, this.action('bouton-discret bouton-petit', 'Recopier', () => {
      const source = Number(de.value);
      for (const i of [...vers.value].map(Number)) if (i !== source) this.semaine[i] = this.semaine[source].map((p) => [...p]);
      this.dessiner();
      this.choisir(null);
      this.dire(`${JOURS[source]} recopié vers ${vers.selectedOptions[0].textContent}`);
    }));
    return r;
  }

  dire(t) { this.annonce.textContent = t; }

  /** The free room around a block: no other block may be crossed. */
  place(jour, plage) {
    const autres = this.semaine[jour].filter((p) => p !== plage);
    return [
      Math.max(0, ...autres.filter((p) => p[1] <= plage[0]).map((p) => p[1])),
      Math.min(FIN, ...autres.filter((p) => p[0] >= plage[1]).map((p) => p[0])),
    ];
  }

  creer(jour, debut, fin) {
    let d = Math.max(0, debut);
    let f = Math.min(FIN, fin);
    for (const p of this.semaine[jour]) {
      if (p[0] <= d && d < p[1]) d = p[1];
      if (p[0] < f && d < p[0]) f = p[0];
    }
    if (f - d < PAS) return;
    const plage = [d, f];
    this.semaine[jour].push(plage);
    this.semaine[jour].sort((a, b) => a[0] - b[0]);
    this.dessiner();
    this.bouton(plage)?.focus();
    this.dire(this.nom(jour, plage));
  }

  ajouterLibre(jour) {
    for (const [d, f] of [[480, 720], [840, 1080], [1080, 1200], [720, 840], [1200, FIN], [0, 480]]) {
      if (!this.semaine[jour].some((p) => p[0] < f && d < p[1])) { this.creer(jour, d, f); return; }
    }
    this.dire(`${JOURS[jour]} : plus de place`);
  }

  retirer(jour, plage) {
    this.semaine[jour] = this.semaine[jour].filter((p) => p !== plage);
    this.dessiner();
    this.choisir(null);
    this.dire(`${this.nom(jour, plage)} : retiré`);
    (this.colonnes[jour].querySelector('.plage') ?? this.cadre.querySelectorAll('.grille-ajouter')[jour]).focus();
  }

  nom(jour, [d, f]) { return `${this.dataset.type}, ${JOURS[jour]}, de ${mots(d)} à ${mots(f)}`; }

  bouton(plage) { return [...this.cadre.querySelectorAll('.plage')].find((b) => b.plage === plage); }

  poser(b, jour, plage) {
    b.style.top = `${plage[0] * PX}px`;
    b.style.height = `${(plage[1] - plage[0]) * PX}px`;
    b.querySelector('.plage-mots').replaceChildren(el('span', '', court(plage[0])), el('span', 'plage-tiret', '–'), el('wbr'), el('span', '', court(plage[1])));
    b.setAttribute('aria-label', this.nom(jour, plage));
    b.title = this.nom(jour, plage);
  }

  dessiner() {
    this.colonnes.forEach((c, jour) => {
      c.replaceChildren(...this.semaine[jour].map((plage) => {
        const b = el('button', 'plage');
        b.type = 'button';
        b.plage = plage;
        b.append(el('strong', '', this.dataset.type), el('span', 'plage-mots'), el('span', 'plage-bord plage-haut'), el('span', 'plage-bord plage-bas'));
        this.poser(b, jour, plage);
        b.addEventListener('focus', () => this.choisir([jour, plage]));
        b.addEventListener('keydown', (e) => this.touche(e, b, jour, plage));
        b.addEventListener('pointerdown', (e) => this.tirer(e, b, jour, plage));
        return b;
      }));
    });
  }

  touche(e, b, jour, plage) {
    const [min, max] = this.place(jour, plage);
    const pas = e.key === 'ArrowUp' ? -PAS : e.key === 'ArrowDown' ? PAS : 0;
    if (e.key === 'Delete' || e.key === 'Backspace') { e.preventDefault(); this.retirer(jour, plage); return; }
    if (!pas) return;
    e.preventDefault();
    if (e.shiftKey) {
      plage[1] = Math.min(max, Math.max(plage[0] + PAS, plage[1] + pas));
    } else {
      const duree = plage[1] - plage[0];
      plage[0] = Math.min(max - duree, Math.max(min, plage[0] + pas));
      plage[1] = plage[0] + duree;
    }
    this.poser(b, jour, plage);
    this.choisir([jour, plage]);
    this.dire(this.nom(jour, plage));
    b.scrollIntoView({ block: 'nearest' });
  }

  tirer(e, b, jour, plage) {
    if (e.button) return;
    const [min, max] = this.place(jour, plage);
    const quoi = e.target.classList.contains('plage-haut') ? 'haut' : e.target.classList.contains('plage-bas') ? 'bas' : 'tout';
    const y = e.clientY + this.cadre.scrollTop;
    const [d0, f0] = plage;
    const bouge = (m) => {
      const delta = arrondi((m.clientY + this.cadre.scrollTop - y) / PX);
      if (quoi === 'haut') plage[0] = Math.max(min, Math.min(plage[1] - PAS, d0 + delta));
      else if (quoi === 'bas') plage[1] = Math.min(max, Math.max(plage[0] + PAS, f0 + delta));
      else {
        plage[0] = Math.max(min, Math.min(max - (f0 - d0), d0 + delta));
        plage[1] = plage[0] + (f0 - d0);
      }
      this.poser(b, jour, plage);
    };
    b.setPointerCapture(e.pointerId);
    b.addEventListener('pointermove', bouge);
    const fini = () => { b.removeEventListener('pointermove', bouge); b.focus(); this.choisir([jour, plage]); this.dire(this.nom(jour, plage)); };
    b.addEventListener('pointerup', fini, { once: true });
    b.addEventListener('pointercancel', fini, { once: true });
  }
}
customElements.define('ror-semaine', SemaineEditeur);
