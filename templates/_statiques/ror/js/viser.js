// A link to a field of a fiche opens what hides it and gives it the focus.

const COMMANDE = 'input:not([type=hidden]), select, textarea, button, summary';

const viser = () => {
  const nomme = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const formulaire = nomme && nomme.closest('.formulaire-fiche');
  if (!formulaire) return;
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
// The same link a second time changes no address.
document.addEventListener('click', (e) => {
  const lien = e.target.closest('.formulaire-fiche a[href^="#"]');
  if (lien && lien.hash === location.hash) setTimeout(viser);
});
