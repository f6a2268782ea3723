// Keys on a line of the tree: create, move, delete, take back; « ? » shows them all. Never while typing.

const espace = document.querySelector('[data-dossier]');
const aide = document.getElementById('raccourcis');

if (espace && aide) {
  const base = espace.dataset.dossier;
  const ecrit = (el) => el.closest?.('textarea, select, [contenteditable], input:not([type=checkbox]):not([type=radio])');
  // The selection, else the line that has the focus.
  const visees = (ligne) => {
    const { choisies } = ligne.closest('ror-arbre');
    const cle = ligne.querySelector('.arbre-nom').id.slice(6);
    return choisies.has(cle) ? [...choisies].join(',') : cle;
  };

  document.addEventListener('keydown', (e) => {
    if (e.defaultPrevented || ecrit(e.target) || document.querySelector('dialog[open]')) return;
    const commande = e.ctrlKey || e.metaKey;
    if (e.key === '?' && !commande) { e.preventDefault(); aide.showModal(); return; }
    if (commande && !e.shiftKey && e.key.toLowerCase() === 'z') {
      const bouton = document.querySelector('[data-defaire] button');
      if (bouton) { e.preventDefault(); bouton.click(); }
      return;
    }
    const ligne = e.target.closest?.('#arbre-dossier .arbre-ligne');
    if (!ligne) return;
    if (e.key === 'ContextMenu' || (e.shiftKey && e.key === 'F10')) {
      e.preventDefault();
      ligne.querySelector('summary')?.click();
    } else if (e.key === 'Insert') {
      e.preventDefault();
      window.rorGeste('GET', `${base}ajouter/?sous=${ligne.querySelector('.arbre-nom').id.slice(6)}`);
    } else if (e.key === 'Delete' || (commande && e.key.toLowerCase() === 'm')) {
      e.preventDefault();
      window.rorGeste('POST', `${base}${e.key === 'Delete' ? 'supprimer' : 'deplacer'}/`, { etape: 'choisir', fiche: visees(ligne) });
    }
  });

  document.addEventListener('click', (e) => { if (e.target.closest('[data-raccourcis]')) aide.showModal(); });
}
