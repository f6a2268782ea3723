// Drag a line of the tree onto its new place. Only legal places take it; the others say why. « Déplacer » does the same by keyboard.

const espace = document.querySelector('[data-dossier]');
const OUVRIR_APRES = 600; // ms over a folded line

if (espace) {
  let pris = null; // { cles, niveau, noms }
  let dernierRefus = '';
  let attente = null;

  const arbreDe = (el) => el.closest('#arbre-dossier ror-arbre');
  const niveauDe = (ligne) => ligne.querySelector('abbr').textContent;
  const nomDe = (ligne) => ligne.querySelector('.arbre-nom');
  const cleDe = (ligne) => nomDe(ligne).id.slice(6);
  const mot = (arbre, niveau) => arbre.niveaux[niveau].toLowerCase();

  // Why a line can't take what is held; '' when it can.
  const refus = (arbre, ligne) => {
    const place = JSON.parse(arbre.dataset.places)[pris.niveau];
    const nom = nomDe(ligne).textContent;
    if (pris.cles.includes(cleDe(ligne))) return 'Une fiche ne va pas sous elle-même.';
    if (niveauDe(ligne) !== place) return `« ${nom} » est de niveau ${mot(arbre, niveauDe(ligne))} : une fiche de niveau ${mot(arbre, pris.niveau)} se rattache au niveau ${mot(arbre, place)}.`;
    if (ligne.classList.contains('arbre-supprime')) return `« ${nom} » est supprimée par ce dossier.`;
    if (pris.lignes.every((l) => l.parentElement.parentElement.closest('li') === ligne.parentElement)) return `C’est déjà sous « ${nom} ».`;
    return '';
  };

  const marquer = (arbre) => {
    for (const ligne of arbre.querySelectorAll('.arbre-ligne[role]')) ligne.classList.toggle('arbre-cible', Boolean(pris) && !refus(arbre, ligne));
  };
  const lacher = (arbre) => {
    pris = null;
    clearTimeout(attente);
    for (const l of arbre.querySelectorAll('.arbre-cible, .arbre-dessus, .arbre-pris')) l.classList.remove('arbre-cible', 'arbre-dessus', 'arbre-pris');
  };

  // Several lines held under the pointer: how many. The browser takes a picture of the words.
  const tenir = (transfert, n) => {
    const mot = Object.assign(document.createElement('div'), { className: 'arbre-tenu', textContent: `${n} fiches` });
    document.body.append(mot);
    transfert.setDragImage(mot, -12, -12);
    window.rorAnnoncer(mot.textContent);
    setTimeout(() => mot.remove());
  };

  // A line is draggable from the moment the pointer presses it: 3,000 of them need not be told before.
  espace.addEventListener('pointerdown', (e) => {
    const ligne = e.target.closest('.arbre-ligne');
    const arbre = ligne && arbreDe(ligne);
    if (!arbre?.dataset.selection || e.pointerType === 'touch' || e.target.closest('button, input, .arbre-menu')) return;
    nomDe(ligne).draggable = false;
    ligne.draggable = !ligne.classList.contains('arbre-supprime') && niveauDe(ligne) in JSON.parse(arbre.dataset.places) && Boolean(ligne.parentElement.parentElement.closest('li'));
  });

  espace.addEventListener('dragstart', (e) => {
    const ligne = e.target.closest?.('.arbre-ligne[draggable="true"]');
    if (!ligne) return;
    const arbre = arbreDe(ligne);
    const toutes = arbre.choisies.has(cleDe(ligne)) ? [...arbre.choisies].map((c) => arbre.ligne(c).firstElementChild) : [ligne];
    const lignes = toutes.filter((l) => niveauDe(l) === niveauDe(ligne));
    pris = { niveau: niveauDe(ligne), lignes, cles: lignes.map(cleDe) };
    dernierRefus = lignes.length < toutes.length ? 'Des fiches se déplacent ensemble quand elles sont de même niveau.' : '';
    if (dernierRefus) { e.preventDefault(); window.rorAlerter(dernierRefus); pris = null; return; }
    e.dataTransfer.effectAllowed = 'move';
    e.dataTransfer.setData('text/plain', lignes.map((l) => nomDe(l).textContent).join(', '));
    if (lignes.length > 1) tenir(e.dataTransfer, lignes.length);
    for (const l of lignes) l.classList.add('arbre-pris');
    marquer(arbre);
  });

  espace.addEventListener('dragover', (e) => {
    const ligne = pris && e.target.closest?.('.arbre-ligne');
    if (!ligne) return;
    const arbre = arbreDe(ligne);
    dernierRefus = refus(arbre, ligne);
    if (!dernierRefus) { e.preventDefault(); e.dataTransfer.dropEffect = 'move'; }
    if (ligne.classList.contains('arbre-dessus')) return;
    for (const l of arbre.querySelectorAll('.arbre-dessus')) l.classList.remove('arbre-dessus');
    ligne.classList.add('arbre-dessus');
    clearTimeout(attente);
    attente = setTimeout(() => { const li = ligne.parentElement; if (arbre.estPliee(li)) { arbre.ouvrir(li, true); marquer(arbre); } }, OUVRIR_APRES);
  });

  espace.addEventListener('drop', (e) => {
    const ligne = pris && e.target.closest?.('.arbre-ligne');
    if (!ligne) return;
    e.preventDefault();
    const { cles } = pris;
    dernierRefus = '';
    lacher(arbreDe(ligne));
    window.rorGeste('POST', `${espace.dataset.dossier}deplacer/`, { fiche: cles.join(','), parent: cleDe(ligne) });
  });

  espace.addEventListener('dragend', (e) => {
    if (!pris) return;
    lacher(arbreDe(e.target));
    if (dernierRefus) window.rorAlerter(dernierRefus);
  });
}
