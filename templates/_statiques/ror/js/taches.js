// The inbox by keyboard: j and k go from row to row, p takes, r gives back, x ticks, d opens the decision, ? shows the
// help. On the page of a task: j and k go to its neighbours, p takes, r gives back, d goes to the decision, u goes up to
// the list. Enter and the arrows are those of the links and of shell.js. Single keys can be switched off (WCAG 2.1.4);
// nothing is needed to work the list.

const CLE = 'ror-raccourcis';
const dialogue = document.getElementById('raccourcis');
const interrupteur = document.getElementById('raccourcis-actifs');
const liste = document.getElementById('file');
let rang = -1; // of the row that a gesture was asked on
const lire = () => { try { return localStorage.getItem(CLE) !== 'non'; } catch { return true; } };
if (interrupteur) {
  interrupteur.checked = lire();
  interrupteur.addEventListener('change', () => {
    try { localStorage.setItem(CLE, interrupteur.checked ? 'oui' : 'non'); } catch { /* private window: for this page only */ }
  });
}
const actifs = () => (interrupteur ? interrupteur.checked : lire());
const lignes = () => [...document.querySelectorAll('#file tbody tr')];
const ici = () => lignes().findIndex((l) => l.contains(document.activeElement));
const viser = (i) => lignes()[i]?.querySelector('a.tache-nom')?.focus();

const boutonDe = (nom) => (liste ? lignes()[ici()] : document)?.querySelector(`button[formaction$="/${nom}/"], form[action$="/${nom}/"] button`);
function cliquer(cible) {
  cible?.click();
  return Boolean(cible);
}

// A gesture of a row redraws the list alone; without htmx it is the post of a form.
document.addEventListener('click', (e) => {
  const bouton = e.target.closest('#file .tache-actions button[formaction]');
  if (!bouton || !window.htmx) return;
  e.preventDefault();
  if (bouton.disabled) return;
  rang = lignes().findIndex((l) => l.contains(bouton));
  bouton.disabled = true;
  window.htmx.ajax('POST', bouton.formAction, { source: document.getElementById('geste'), target: '#file', swap: 'outerHTML' })
    .finally(() => { bouton.disabled = false; });
});

document.addEventListener('click', (e) => {
  if (e.target.closest('[data-raccourcis-ouvrir]')) dialogue?.showModal();
  else if (e.target === dialogue) dialogue.close();
});

function surLaListe(touche) {
  if (touche === 'j') viser(Math.min(ici() + 1, lignes().length - 1));
  else if (touche === 'k') viser(Math.max(ici() - 1, 0));
  else if (touche === 'd') return cliquer(lignes()[ici()]?.querySelector('a.tache-nom'));
  else if (touche === 'x') return cliquer(lignes()[ici()]?.querySelector('input[name="tache"]'));
  else return false;
  return true;
}

const voisine = (mot) => [...document.querySelectorAll('.tache-voisines a')].find((a) => a.textContent.trim().startsWith(mot));

function surUneTache(touche) {
  if (touche === 'j') return cliquer(voisine('Suivante'));
  if (touche === 'k') return cliquer(voisine('Précédente'));
  if (touche === 'u') return cliquer(document.querySelector('.fil a[href^="/taches/"]'));
  // To the first button of the decision: it is read before it is pressed.
  const bouton = touche === 'd' ? document.querySelector('.decision-boutons button') : null;
  bouton?.focus();
  return bouton !== null;
}

document.addEventListener('keydown', (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || !actifs()) return;
  if (e.target.closest('input:not([type=checkbox]):not([type=radio]), select, textarea, dialog, [contenteditable]')) return;
  let fait = true;
  if (e.key === '?') dialogue?.showModal();
  else if (e.key === 'p') fait = cliquer(boutonDe('prendre'));
  else if (e.key === 'r') fait = cliquer(boutonDe('rendre'));
  else if (liste) fait = surLaListe(e.key);
  else fait = surUneTache(e.key);
  if (fait) e.preventDefault();
});

// On a phone the filters fold away, so that the first task is in sight.
function replier() {
  const volet = document.querySelector('#file .file-volet');
  if (volet && volet.dataset.filtreActif === 'non' && matchMedia('(max-width: 767px)').matches) volet.open = false;
}
replier();

// After a gesture the queue is drawn again: the focus goes to the row that took the place of the one that left.
document.addEventListener('htmx:afterSettle', (e) => {
  if (e.detail.target?.id !== 'file' && e.target?.id !== 'file') return;
  replier();
  if (rang < 0) return;
  const combien = lignes().length;
  if (combien) viser(Math.min(rang, combien - 1));
  else document.querySelector('#file .onglets a[aria-current]')?.focus();
  const message = document.querySelector('#messages .message > div');
  if (message) window.rorAnnoncer?.(message.textContent);
  rang = -1;
});
