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
const COMMANDE = 'input:not([type=hidden]), select, textarea, button, summary';
const viser = () => {
  const nomme = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!nomme || !formulaire?.contains(nomme)) return;
  const champ = nomme.matches('.ancre') ? nomme.parentElement : nomme;
  for (let d = champ.parentElement.closest('details'); d; d = d.parentElement.closest('details')) {
    if (!(champ.matches('summary') && champ.parentElement === d)) d.open = true;
  }
  const sommaire = formulaire.querySelector('.sommaire[open]');
  if (sommaire) sommaire.open = false;
  (champ.closest('.champ, .groupe-ligne, section') ?? champ).scrollIntoView({ block: 'start', behavior: 'instant' });
  const cible = champ.matches(COMMANDE) ? champ : [...champ.querySelectorAll(COMMANDE)].find((c) => c.checkVisibility());
  cible?.focus({ preventScroll: true });
};
// After the browser's own move to the fragment, which takes the focus away.
addEventListener('load', () => setTimeout(viser));
addEventListener('hashchange', viser);
