// The form of a fiche: leaving with something typed is asked first.

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
