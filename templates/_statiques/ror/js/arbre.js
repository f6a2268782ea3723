// The tree: fold, unfold, arrows, filter. Folded branches stay findable by the browser (hidden=until-found).

const plier = (t) => t.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase();

class Arbre extends HTMLElement {
  connectedCallback() {
    this.arbre = this.querySelector('.arbre');
    if (!this.arbre || this.dataset.pret) return;
    this.dataset.pret = '1';
    for (const li of this.arbre.querySelectorAll('.arbre-ferme')) this.ouvrir(li, false);
    const actif = this.arbre.querySelector('.arbre-actif');
    for (let li = actif?.closest('li'); li; li = li.parentElement.closest('li')) if (li !== actif.closest('li')) this.ouvrir(li, true);
    this.addEventListener('click', (e) => {
      const b = e.target.closest('.arbre-bascule');
      if (b) this.ouvrir(b.closest('li'), b.getAttribute('aria-expanded') !== 'true');
      const tout = e.target.closest('[data-arbre-tout]');
      if (tout) for (const li of this.arbre.querySelectorAll('li:has(> ul)')) this.ouvrir(li, tout.dataset.arbreTout === 'ouvrir');
    });
    this.arbre.addEventListener('beforematch', (e) => this.ouvrir(e.target.closest('li'), true));
    this.arbre.addEventListener('keydown', (e) => this.touche(e));
    const filtre = this.querySelector('[data-arbre-filtre]');
    filtre?.addEventListener('input', () => { clearTimeout(this.attente); this.attente = setTimeout(() => this.filtrer(filtre.value), 120); });
  }

  ouvrir(li, ouvert) {
    const ul = li.querySelector(':scope > ul');
    if (!ul) return;
    li.classList.toggle('arbre-ferme', false);
    if (ouvert) ul.removeAttribute('hidden');
    else ul.setAttribute('hidden', 'until-found');
    const b = li.querySelector(':scope > .arbre-ligne > .arbre-bascule');
    b.setAttribute('aria-expanded', String(ouvert));
    b.setAttribute('aria-label', b.getAttribute('aria-label').replace(/^(Dé|Re)plier/, ouvert ? 'Replier' : 'Déplier'));
  }

  get visibles() {
    return [...this.arbre.querySelectorAll('[data-arbre-ligne]')].filter((l) => !l.closest('[hidden]'));
  }

  touche(e) {
    if (e.target.closest('.deroulant[open]') || e.altKey || e.ctrlKey || e.metaKey) return;
    const ligne = e.target.closest('[data-arbre-ligne]');
    if (!ligne) return;
    const li = ligne.closest('li');
    const b = ligne.querySelector('.arbre-bascule');
    const aller = (l) => { const n = l?.querySelector('.arbre-nom'); if (n) { n.focus(); e.preventDefault(); } };
    const lignes = this.visibles;
    const i = lignes.indexOf(ligne);
    switch (e.key) {
      case 'ArrowDown': aller(lignes[i + 1]); break;
      case 'ArrowUp': aller(lignes[i - 1]); break;
      case 'Home': aller(lignes[0]); break;
      case 'End': aller(lignes.at(-1)); break;
      case 'ArrowRight':
        if (b && b.getAttribute('aria-expanded') === 'false') { this.ouvrir(li, true); e.preventDefault(); } else if (b) aller(lignes[i + 1]);
        break;
      case 'ArrowLeft':
        if (b && b.getAttribute('aria-expanded') === 'true') { this.ouvrir(li, false); e.preventDefault(); }
        else aller(li.parentElement.closest('li')?.querySelector(':scope > [data-arbre-ligne]'));
        break;
      default:
    }
  }

  filtrer(texte) {
    const mots = plier(texte).split(/\s+/).filter(Boolean);
    let n = 0;
    const voir = (li) => {
      const nom = li.querySelector(':scope > .arbre-ligne .arbre-nom');
      const ici = mots.every((m) => plier(nom.textContent).includes(m));
      let dessous = false;
      for (const enfant of li.querySelectorAll(':scope > ul > li')) dessous = voir(enfant) || dessous;
      if (mots.length) {
        li.hidden = !ici && !dessous;
        if (dessous) this.ouvrir(li, true);
        if (ici) {
          n += 1;
          for (const x of li.querySelectorAll(':scope > ul li')) x.hidden = false;
        }
      } else {
        li.hidden = false;
      }
      return ici || dessous;
    };
    for (const li of this.arbre.children) voir(li);
    const annonce = this.querySelector('[data-arbre-annonce]');
    if (annonce) annonce.textContent = mots.length ? `${n} fiche${n > 1 ? 's' : ''} sur ce filtre` : '';
  }
}
customElements.define('ror-arbre', Arbre);
