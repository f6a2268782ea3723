// What was done, at the bottom of the window: above the bar that stands there, and gone after a while unless it is looked at.

const zone = document.getElementById('toasts-dossier');
const DUREE = 8000; // ms; a warning or a refusal stays until it is closed
const BARRES = '.fiche-boutons, .dossier-selection';

if (zone) {
  let minuterie;

  const placer = () => {
    zone.style.removeProperty('--sous');
    const { top, bottom, left, right } = zone.getBoundingClientRect();
    const hauts = [...document.querySelectorAll(BARRES)].map((b) => b.getBoundingClientRect())
      .filter((b) => b.height && b.bottom > top && b.top < bottom && b.right > left && b.left < right).map((b) => b.top);
    if (hauts.length) zone.style.setProperty('--sous', `${Math.round(innerHeight - Math.min(...hauts))}px`);
  };
  const partir = () => { for (const m of zone.querySelectorAll('.message-success, .message-info')) m.remove(); };
  const attendre = () => {
    clearTimeout(minuterie);
    if (!zone.matches(':hover, :focus-within')) minuterie = setTimeout(partir, DUREE);
  };

  new MutationObserver(() => { if (zone.childElementCount) { placer(); attendre(); } }).observe(zone, { childList: true });
  for (const quoi of ['pointerenter', 'pointerleave', 'focusin']) zone.addEventListener(quoi, attendre);
  zone.addEventListener('focusout', () => setTimeout(attendre));
  document.addEventListener('htmx:afterSettle', () => { if (zone.childElementCount) placer(); });
  for (const quoi of ['scroll', 'resize']) addEventListener(quoi, () => { if (zone.childElementCount) placer(); }, { passive: true });
}
