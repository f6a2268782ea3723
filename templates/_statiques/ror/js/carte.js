// The map: zoom and pan by buttons, by the keyboard of its frame and by dragging. Without it the links do.

const PAS = 1.6;
const MAX = 12;

class Carte extends HTMLElement {
  connectedCallback() {
    if (this.svg) return;
    this.svg = this.querySelector('svg');
    const vue = this.svg.viewBox.baseVal;
    this.entiere = { x: vue.x, y: vue.y, l: vue.width, h: vue.height };
    this.zoom = 1;
    this.x = vue.x;
    this.y = vue.y;
    this.prepend(this.outils());
    this.svg.addEventListener('pointerdown', (e) => this.saisir(e));
    this.svg.addEventListener('dragstart', (e) => e.preventDefault()); // a link is not carried away
    this.svg.addEventListener('click', (e) => { if (this.glisse) { e.preventDefault(); this.glisse = false; } }, true);
    this.svg.addEventListener('focusin', (e) => this.montrer(e.target));
    this.dessiner();
  }

  outils() {
    const barre = document.createElement('div');
    barre.className = 'carte-outils';
    barre.setAttribute('role', 'group');
    barre.setAttribute('aria-label', 'Agrandir et déplacer la carte');
    const bouton = (signe, nom, geste) => {
      const b = document.createElement('button');
      b.type = 'button';
      b.textContent = signe;
      b.setAttribute('aria-label', nom);
      b.title = nom;
      b.addEventListener('click', geste);
      barre.append(b);
      return b;
    };
    this.plus = bouton('+', 'Agrandir', () => this.agrandir(PAS));
    this.moins = bouton('−', 'Réduire', () => this.agrandir(1 / PAS));
    this.fleches = [
      bouton('↑', 'Vers le nord', () => this.deplacer(0, -1)), bouton('↓', 'Vers le sud', () => this.deplacer(0, 1)),
      bouton('←', 'Vers l’ouest', () => this.deplacer(-1, 0)), bouton('→', 'Vers l’est', () => this.deplacer(1, 0)),
    ];
    return barre;
  }

  get largeur() { return this.entiere.l / this.zoom; }

  get hauteur() { return this.entiere.h / this.zoom; }

  agrandir(facteur) {
    const [cx, cy] = [this.x + this.largeur / 2, this.y + this.hauteur / 2];
    this.zoom = Math.min(MAX, Math.max(1, this.zoom * facteur));
    this.centrer(cx, cy);
    window.rorAnnoncer(this.zoom > 1 ? `Carte agrandie ${this.zoom.toLocaleString('fr', { maximumFractionDigits: 1 })} fois` : 'Carte entière');
  }

  deplacer(dx, dy) { this.poser(this.x + (dx * this.largeur) / 4, this.y + (dy * this.hauteur) / 4); }

  centrer(cx, cy) { this.poser(cx - this.largeur / 2, cy - this.hauteur / 2); }

  poser(x, y) {
    this.x = Math.min(this.entiere.l - this.largeur, Math.max(0, x));
    this.y = Math.min(this.entiere.h - this.hauteur, Math.max(0, y));
    this.dessiner();
  }

  dessiner() {
    this.svg.setAttribute('viewBox', `${this.x} ${this.y} ${this.largeur} ${this.hauteur}`);
    this.svg.style.setProperty('--zoom', this.zoom);
    this.classList.toggle('carte-agrandie', this.zoom > 1);
    this.moins.setAttribute('aria-disabled', this.zoom <= 1);
    this.plus.setAttribute('aria-disabled', this.zoom >= MAX);
    for (const b of this.fleches) b.hidden = this.zoom <= 1;
  }

  // A place that takes the focus outside the part shown comes to its middle.
  montrer(lieu) {
    const matrice = lieu.closest('.lieu')?.transform.baseVal.consolidate()?.matrix;
    if (!matrice || this.zoom <= 1) return;
    const dedans = matrice.e > this.x && matrice.e < this.x + this.largeur && matrice.f > this.y && matrice.f < this.y + this.hauteur;
    if (!dedans) this.centrer(matrice.e, matrice.f);
  }

  saisir(e) {
    if (this.zoom <= 1 || e.button !== 0) return;
    const [x0, y0, vx, vy] = [e.clientX, e.clientY, this.x, this.y];
    const unite = this.largeur / this.svg.getBoundingClientRect().width;
    const bouger = (m) => {
      if (!this.glisse && Math.hypot(m.clientX - x0, m.clientY - y0) < 5) return;
      this.glisse = true;
      this.poser(vx - (m.clientX - x0) * unite, vy - (m.clientY - y0) * unite);
    };
    const lacher = () => {
      window.removeEventListener('pointermove', bouger);
      setTimeout(() => { this.glisse = false; }); // after the click that ends the gesture
    };
    e.preventDefault();
    window.addEventListener('pointermove', bouger);
    window.addEventListener('pointerup', lacher, { once: true });
  }
}
customElements.define('ror-carte', Carte);
