// The inbox by keyboard: j and k go from row to row, p takes, r gives back, ? shows the help. Enter and the arrows are
// those of the links and of shell.js. Single keys can be switched off (WCAG 2.1.4); nothing is needed to work the list.

const CLE = 'ror-raccourcis';
const dialogue = document.getElementById('raccourcis');
const interrupteur = document.getElementById('raccourcis-actifs');
const lire = () => { try { return localStorage.getItem(CLE) !== 'non'; } catch { return true; } };
if (interrupteur) {
  interrupteur.checked = lire();
  interrupteur.addEventListener('change', () => {
    try { localStorage.setItem(CLE, interrupteur.checked ? 'oui' : 'non'); } catch { /* private window: for this page only */ }
  });
}
const actifs = () => (interrupteur ? interrupteur.checked : lire());
const lignes = () => [...document.querySelectorAll('#file tbody tr[data-tache]')];
const ici = () => lignes().findIndex((l) => l.contains(document.activeElement));
const viser = (i) => lignes()[i]?.querySelector('a.tache-nom')?.focus();

function geste(nom) {
  const bouton = lignes()[ici()]?.querySelector(`button[data-geste="${nom}"]`);
  bouton?.click();
  return Boolean(bouton);
}

document.addEventListener('click', (e) => {
  if (e.target.closest('[data-raccourcis-ouvrir]')) dialogue?.showModal();
  else if (e.target.closest('[data-raccourcis-fermer]') || e.target === dialogue) dialogue.close();
});

document.addEventListener('keydown', (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || !actifs()) return;
  if (e.target.closest('input, select, textarea, dialog, [contenteditable]')) return;
  let fait = true;
  if (e.key === 'j') viser(Math.min(ici() + 1, lignes().length - 1));
  else if (e.key === 'k') viser(Math.max(ici() - 1, 0));
  else if (e.key === 'p') fait = geste('prendre');
  else if (e.key === 'r') fait = geste('rendre');
  else if (e.key === '?') dialogue?.showModal();
  else fait = false;
  if (fait) e.preventDefault();
});

// On a phone the filters fold away, so that the first task is in sight.
function replier() {
  const volet = document.querySelector('#file .file-volet');
  if (volet && volet.dataset.filtreActif === 'non' && matchMedia('(max-width: 767px)').matches) volet.open = false;
}
replier();

// After a gesture the queue is drawn again: the focus goes to the row that took the place of the one that left.
let rang = -1;
document.addEventListener('htmx:beforeRequest', (e) => {
  rang = lignes().findIndex((l) => l.contains(e.detail.elt));
});
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
