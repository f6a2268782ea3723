// The criteria of the list: communes proposed while typing, long facets filtered; what the person has open, ticked or
// typed survives the arrival of fresh counts. Without this file the panel is a plain form.

const plier = (t) => t.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase().replace(/[^a-z0-9]+/g, ' ');
const formulaire = document.getElementById('criteres');
const panneau = document.getElementById('panneau');
if (panneau && matchMedia('(min-width: 992px)').matches) panneau.open = true; // there is room beside the results

function filtrer(champ) {
  const mots = plier(champ.value).split(' ').filter(Boolean);
  const facette = champ.closest('details');
  const suite = facette.querySelector('.suivantes');
  for (const li of facette.querySelectorAll('.valeurs > li')) {
    const texte = ` ${plier(li.querySelector('span').textContent)}`;
    li.hidden = !mots.every((m) => texte.includes(` ${m}`)) && !li.querySelector('input').checked;
  }
  if (suite && mots.length) suite.open = true;
}

let attente;
function proposer(champ) {
  clearTimeout(attente);
  attente = setTimeout(async () => {
    const q = champ.value.trim();
    if (q.length < 2) return;
    const url = new URL(champ.dataset.communesListe, location.href);
    url.searchParams.set('q', q);
    const reponse = await fetch(url, { headers: { Accept: 'application/json' } });
    if (!reponse.ok || champ.value.trim() !== q) return;
    const { resultats } = await reponse.json();
    document.getElementById('communes-connues').replaceChildren(...resultats.map((r) => Object.assign(document.createElement('option'), { value: r.libelle })));
  }, 180);
}

formulaire.addEventListener('input', (e) => {
  if (e.target.matches('[data-facette-filtre]')) filtrer(e.target);
  if (e.target.matches('[data-communes-liste]')) proposer(e.target);
});
// The filter of a facet is no criterion.
formulaire.addEventListener('change', (e) => { if (e.target.matches('[data-facette-filtre]')) e.stopPropagation(); }, true);
formulaire.addEventListener('keydown', (e) => { if (e.key === 'Enter' && e.target.matches('[data-facette-filtre]')) e.preventDefault(); });

let garde;
function garder(zone) {
  const focus = zone.contains(document.activeElement) ? document.activeElement.id : '';
  const etat = { ouverts: new Map(), coches: new Map(), textes: new Map(), haut: zone.closest('details').scrollTop, focus };
  for (const d of zone.querySelectorAll('details[id]')) etat.ouverts.set(d.id, d.open);
  for (const c of zone.querySelectorAll('input[id]')) {
    if (c.type === 'checkbox') etat.coches.set(c.id, c.checked);
    else if (c === document.activeElement || (c.value && c.matches('[data-facette-filtre]'))) etat.textes.set(c.id, c.value);
  }
  return etat;
}

function rendre(zone, etat) {
  for (const [id, ouvert] of etat.ouverts) if (document.getElementById(id)) document.getElementById(id).open = ouvert;
  for (const [id, coche] of etat.coches) if (document.getElementById(id)) document.getElementById(id).checked = coche;
  for (const [id, texte] of etat.textes) {
    const champ = document.getElementById(id);
    if (!champ) continue;
    champ.value = texte;
    if (champ.matches('[data-facette-filtre]')) filtrer(champ);
  }
  zone.closest('details').scrollTop = etat.haut;
  // What comes folded or filtered out could not take the focus back while it was swapped in.
  if (etat.focus && document.activeElement === document.body) document.getElementById(etat.focus)?.focus({ preventScroll: true });
}

document.addEventListener('htmx:beforeSwap', (e) => { if (e.detail.target.id === 'facettes') garde = garder(e.detail.target); });
document.addEventListener('htmx:afterSwap', (e) => {
  if (e.detail.target.id === 'facettes' && garde) rendre(e.detail.target, garde);
});
