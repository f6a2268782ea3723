// The form of a fiche: leaving with something typed is asked first, a link to a field opens what hides it.

const formulaire = document.querySelector('form[data-ror-saisie]');

if (formulaire) {
  let saisie = formulaire.dataset.rorSaisie === 'commencee';
  const commencer = () => { saisie = true; };
  formulaire.addEventListener('input', commencer);
  formulaire.addEventListener('change', commencer);
  document.addEventListener('submit', (e) => { if (!e.defaultPrevented) saisie = false; });
  addEventListener('beforeunload', (e) => { if (saisie) e.preventDefault(); });
  // Giving up is said by the link itself.
  formulaire.querySelector('.actions-form a')?.addEventListener('click', () => { saisie = false; });
}

/** The field that the address names: unfold what holds it, show it and give it the focus. */
const viser = () => {
  const champ = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!champ || !formulaire?.contains(champ)) return;
  for (let d = champ.closest('details:not([open])'); d; d = d.parentElement.closest('details:not([open])')) {
    if (d !== champ.parentElement || !champ.matches('summary')) d.open = true;
    else break;
  }
  const sommaire = formulaire.querySelector('.sommaire[open]');
  if (sommaire && !sommaire.contains(champ)) sommaire.open = false;
  (champ.closest('.champ, .groupe-ligne, section') ?? champ).scrollIntoView({ block: 'start' });
  const cible = champ.matches('input, select, textarea, button, summary') ? champ : champ.querySelector('input:not([type=hidden]), select, textarea, button, summary');
  cible?.focus({ preventScroll: true });
};
viser();
addEventListener('hashchange', viser);
