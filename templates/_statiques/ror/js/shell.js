// The shell: folding menu, menus that close, messages, error summary, confirmation dialog, htmx's manners.
// Everything works without this file; elements that arrive later (htmx) are covered by delegation.

const racine = document.documentElement;
const sprite = () => document.querySelector('svg.icone use')?.getAttribute('href')?.split('#')[0] ?? '';

/** An icon of the sprite, for the other modules. */
window.rorIcone = (nom) => {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'icone');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `${sprite()}#${nom}`);
  svg.append(use);
  return svg;
};

/** Say something to screen readers. */
window.rorAnnoncer = (texte) => {
  const zone = document.getElementById('annonces');
  if (!zone || !texte) return;
  zone.textContent = '';
  setTimeout(() => { zone.textContent = texte; }, 60);
};

document.addEventListener('click', (e) => {
  const menu = e.target.closest('[data-ror-menu]');
  if (menu) menu.setAttribute('aria-expanded', String(menu.getAttribute('aria-expanded') !== 'true'));
  for (const d of document.querySelectorAll('details[data-ror-deroulant][open]')) {
    if (!d.contains(e.target)) d.open = false;
  }
  const fermer = e.target.closest('[data-message-fermer]');
  if (fermer) fermer.closest('.message').remove();
});

document.addEventListener('keydown', (e) => {
  const d = e.target.closest?.('details[data-ror-deroulant][open]');
  if (!d) return;
  if (e.key === 'Escape') {
    d.open = false;
    d.querySelector('summary').focus();
    e.stopPropagation();
  } else if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
    const lignes = [...d.querySelectorAll('summary, a[href], button:not([disabled])')];
    const i = lignes.indexOf(document.activeElement) + (e.key === 'ArrowDown' ? 1 : -1);
    if (lignes[i]) { lignes[i].focus(); e.preventDefault(); }
  }
});

// A menu that would leave the window by the bottom opens upwards, by the left to the right.
document.addEventListener('toggle', (e) => {
  const d = e.target;
  if (!d.open || !d.matches?.('details[data-ror-deroulant]')) return;
  const panneau = d.querySelector('.deroulant-panneau');
  if (!panneau || matchMedia('(max-width: 767px)').matches) return;
  d.classList.remove('deroulant-haut');
  const r = panneau.getBoundingClientRect();
  if (r.bottom > innerHeight && r.height < d.getBoundingClientRect().top) d.classList.add('deroulant-haut');
  if (r.left < 0) d.classList.add('deroulant-gauche');
}, true);

// A queue: arrows go from row to row.
document.addEventListener('keydown', (e) => {
  const file = e.target.closest?.('[data-ror-file]');
  if (!file || !['ArrowDown', 'ArrowUp'].includes(e.key) || e.target.matches('input, select, textarea, summary')) return;
  const liens = [...file.querySelectorAll('tbody tr, li')].map((l) => l.querySelector('a[href]')).filter(Boolean);
  const ici = liens.findIndex((l) => l.closest('tr, li').contains(e.target));
  const cible = liens[ici + (e.key === 'ArrowDown' ? 1 : -1)];
  if (cible) { cible.focus(); e.preventDefault(); }
});

class Confirmation extends HTMLElement {
  connectedCallback() {
    const dialogue = this.querySelector('dialog');
    if (!dialogue?.showModal) return;
    this.addEventListener('click', (e) => {
      if (e.target.closest('[data-confirmation-ouvrir]')) {
        e.preventDefault();
        dialogue.showModal();
      } else if (e.target.closest('[data-confirmation-fermer]') || e.target === dialogue) {
        dialogue.close();
      }
    });
  }
}
customElements.define('ror-confirmation', Confirmation);

function soigner(zone) {
  for (const m of zone.querySelectorAll?.('[data-ror-message]') ?? []) {
    if (m.querySelector('[data-message-fermer]')) continue;
    const b = document.createElement('button');
    b.type = 'button';
    b.className = 'message-fermer';
    b.dataset.messageFermer = '';
    b.setAttribute('aria-label', 'Fermer le message');
    b.append(window.rorIcone('croix'));
    m.append(b);
  }
  const cible = zone.matches?.('[data-ror-focus]') ? zone : zone.querySelector?.('[data-ror-focus]');
  if (cible) cible.focus();
  for (const a of zone.querySelectorAll?.('[data-ror-annonce]') ?? []) window.rorAnnoncer(a.dataset.rorAnnonce);
}
soigner(document);

// A link of the error summary opens what hides its field.
document.addEventListener('click', (e) => {
  const lien = e.target.closest('.resume-erreurs a[href^="#"]');
  const champ = lien && document.getElementById(lien.hash.slice(1));
  if (!champ) return;
  e.preventDefault();
  const cible = champ.matches('input, select, textarea, button, summary') ? champ : champ.querySelector('input:not([type=hidden]), select, textarea, button, summary') ?? champ;
  cible.scrollIntoView({ block: 'center' });
  cible.focus();
});

// The same form is not sent twice by two clicks.
document.addEventListener('submit', (e) => {
  if (e.defaultPrevented || e.target.method === 'get' || e.target.method === 'dialog') return;
  if (e.target.dataset.envoye) { e.preventDefault(); return; }
  e.target.dataset.envoye = '1';
  setTimeout(() => { delete e.target.dataset.envoye; }, 4000);
});
addEventListener('pageshow', () => { for (const f of document.forms) delete f.dataset.envoye; });

// -- htmx ----------------------------------------------------------------------------------------
let enCours = 0;
let minuterie;
document.addEventListener('htmx:beforeRequest', () => {
  enCours += 1;
  minuterie ??= setTimeout(() => racine.classList.add('en-cours'), 300);
});
document.addEventListener('htmx:afterRequest', (e) => {
  delete e.detail.elt?.dataset?.envoye;
  enCours = Math.max(0, enCours - 1);
  if (enCours) return;
  clearTimeout(minuterie);
  minuterie = undefined;
  racine.classList.remove('en-cours');
});
document.addEventListener('htmx:load', (e) => soigner(e.detail.elt));
window.rorAlerter = alerter;
function alerter(texte) {
  const zone = document.getElementById('alertes');
  if (!zone) return;
  const m = document.createElement('div');
  m.className = 'message message-error';
  m.dataset.rorMessage = '';
  const t = document.createElement('div');
  t.textContent = texte;
  m.append(window.rorIcone('erreur'), t);
  zone.replaceChildren(m);
  soigner(zone);
  zone.scrollIntoView({ block: 'nearest' });
}
document.addEventListener('htmx:sendError', () => alerter('La connexion est coupée : rien n’a été enregistré. Vérifiez le réseau et recommencez.'));
document.addEventListener('htmx:timeout', () => alerter('Le serveur met trop de temps à répondre. Réessayez dans un instant.'));
document.addEventListener('htmx:responseError', (e) => alerter(`Une erreur est survenue de notre côté (${e.detail.xhr.status}) : votre dernière action n’a pas été enregistrée. Réessayez dans un instant.`));
