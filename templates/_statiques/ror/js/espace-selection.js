// Several fiches at once: the bar says how many are chosen and sends them together.

const barre = () => document.getElementById('selection');
const arbre = () => document.querySelector('#arbre-dossier ror-arbre');

document.addEventListener('arbre:selection', (e) => {
  const formulaire = barre();
  if (!formulaire) return;
  const n = e.detail.length;
  formulaire.hidden = !n;
  let champ = formulaire.querySelector('input[name="fiche"]');
  if (!champ) {
    champ = document.createElement('input');
    champ.type = 'hidden';
    champ.name = 'fiche';
    formulaire.append(champ);
  }
  champ.value = e.detail.join(',');
  const texte = n ? `${n} fiche${n > 1 ? 's' : ''} sélectionnée${n > 1 ? 's' : ''}` : '';
  const compte = formulaire.querySelector('[data-compte]');
  if (texte !== compte.textContent) window.rorAnnoncer?.(texte || (compte.textContent && 'Aucune fiche sélectionnée'));
  compte.textContent = texte;
});

// What was chosen was for one gesture: the next one names its own fiches.
document.addEventListener('espace:fait', () => arbre()?.viderSelection());

document.addEventListener('click', (e) => {
  if (e.target.closest('[data-tout-choisir]')) arbre()?.toutChoisir();
  if (e.target.closest('[data-vider]')) arbre()?.viderSelection();
});
