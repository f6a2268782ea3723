// Who else is in the dossier: the page says every 20 s where it is, and shows the others. Silent while it is hidden.

const PERIODE = 20_000;
const adresse = document.querySelector('[data-presence]')?.dataset.presence;

if (adresse) {
  const jeton = JSON.parse(document.body.getAttribute('hx-headers'))['X-CSRFToken'];
  let minuterie;
  let enCours = null;

  const ici = () => document.querySelector('#panneau [data-fiche]')?.dataset.fiche ?? '';

  /** Only what changed is written: a screen reader hears who comes and who goes, nothing else. */
  const dire = (p, phrase, icone) => {
    if ((p.textContent.trim()) === phrase) return;
    p.replaceChildren();
    if (phrase) p.append(window.rorIcone(icone), Object.assign(document.createElement('span'), { textContent: phrase }));
  };

  const montrer = ({ dossier, fiches }) => {
    for (const p of document.querySelectorAll('[data-presence]')) dire(p, dossier, 'comptes'); // the head is drawn again by gestures
    for (const p of document.querySelectorAll('[data-presence-fiche]')) dire(p, fiches[p.dataset.presenceFiche]?.phrase ?? '', 'personne');
    for (const m of document.querySelectorAll('.presence-marque')) {
      if (fiches[m.dataset.fiche]?.noms !== m.textContent) m.remove();
    }
    for (const [fiche, { noms }] of Object.entries(fiches)) {
      const ligne = document.getElementById(`fiche-${fiche}`)?.closest('.arbre-ligne');
      if (!ligne || ligne.querySelector('.presence-marque')) continue;
      const marque = Object.assign(document.createElement('span'), { className: 'presence-marque', textContent: noms });
      marque.dataset.fiche = fiche;
      marque.prepend(window.rorIcone('personne'));
      document.getElementById(`fiche-${fiche}`).after(marque);
    }
  };

  const battre = async () => {
    clearTimeout(minuterie);
    if (document.hidden) return;
    enCours?.abort();
    const mien = enCours = new AbortController();
    minuterie = setTimeout(battre, PERIODE); // a lost call is made again at the next beat
    let reponse;
    let lue;
    try {
      reponse = await fetch(adresse, {
        method: 'POST', body: new URLSearchParams({ fiche: ici() }), headers: { 'X-CSRFToken': jeton }, signal: mien.signal,
      });
      lue = reponse.ok && await reponse.json();
    } catch {
      return; // the network is down or a newer beat took its place, be it while reading: the next one will tell
    }
    if (lue) montrer(lue);
    else if (reponse.status < 500) clearTimeout(minuterie); // session ended, or the dossier is no longer hers: nothing to tell
  };

  document.addEventListener('visibilitychange', battre);
  document.getElementById('panneau')?.addEventListener('htmx:afterSwap', (e) => { if (e.detail.target.id === 'panneau') battre(); });
  battre();
}
