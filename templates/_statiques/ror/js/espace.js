// The workspace of a dossier: a fiche opens and is saved beside the tree without a reload, nothing typed is lost by a click.
// Without this file every link is a page of its own, every form a post.

const espace = document.querySelector('[data-dossier]');
const large = matchMedia('(min-width: 1100px)');

if (espace) {
  const base = espace.dataset.dossier;
  const panneau = document.getElementById('panneau');
  const commencee = () => Boolean(panneau.querySelector('.formulaire-fiche[data-commencee]')); // shown again, not saved
  let saisie = commencee();

  const quitter = () => !saisie || window.confirm('Vous avez saisi des informations qui ne sont pas enregistrées. Les abandonner ?');
  // Beside a fiche the tree scrolls on its own.
  const montrer = (lien) => {
    const cadre = lien.closest('.dossier-arbre');
    if (cadre.scrollHeight <= cadre.clientHeight + 4) return;
    const ecart = lien.getBoundingClientRect().top - cadre.getBoundingClientRect().top;
    if (ecart < 0 || ecart > cadre.clientHeight - 80) cadre.scrollTop += ecart - cadre.clientHeight / 2;
  };
  const situer = () => {
    const tete = panneau.querySelector('[data-fiche]');
    espace.classList.toggle('dossier-sur-fiche', Boolean(tete));
    for (const l of espace.querySelectorAll('.arbre-actif')) l.classList.remove('arbre-actif');
    for (const a of espace.querySelectorAll('.arbre-nom[aria-current]')) a.removeAttribute('aria-current');
    document.title = tete?.dataset.titre ?? document.querySelector('h1').textContent;
    const lien = tete && document.getElementById(`fiche-${tete.dataset.fiche}`);
    if (!lien) return;
    lien.closest('.arbre-ligne').classList.add('arbre-actif');
    lien.setAttribute('aria-current', 'true');
    montrer(lien);
  };
  // The line of a fiche, whatever is folded above it, gets the focus.
  const viser = async (cle) => {
    const lien = document.getElementById(`fiche-${cle}`);
    if (!lien) return;
    await customElements.whenDefined('ror-arbre');
    lien.closest('ror-arbre').montrer(lien.closest('li'));
    lien.scrollIntoView({ block: 'center' });
    lien.closest('.arbre-ligne').focus({ preventScroll: true });
  };
  // What leaves the panel takes no more typing: it would be lost with it.
  const demander = async (methode, url, options) => {
    panneau.inert = true;
    try {
      await window.htmx.ajax(methode, url, { target: panneau, swap: 'innerHTML show:#panneau:top', ...options });
    } finally {
      panneau.inert = false;
    }
  };
  const lire = (url) => demander('GET', url, { source: panneau });

  espace.addEventListener('click', async (e) => {
    const lien = e.target.closest('.arbre a[href], #panneau a[href]');
    if (!lien || e.defaultPrevented || e.button || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return;
    const url = new URL(lien.href);
    const retour = url.pathname === base && !url.search;
    if (!retour && !(url.pathname.startsWith(`${base}fiches/`) && /\/fiches\/\d+\/$/.test(url.pathname))) return;
    if (!retour && url.hash && url.pathname === location.pathname) return; // a field of this form
    if (!quitter()) { e.preventDefault(); return; }
    saisie = false;
    if (!large.matches || !window.htmx || (url.hash && !retour)) return;
    e.preventDefault();
    for (const d of espace.querySelectorAll('details.deroulant[open]')) d.open = false;
    await lire(url.pathname + url.search);
    if (retour) viser(url.hash.replace('#fiche-', ''));
  });

  // The form of a fiche is sent as it would be; what comes back takes its place.
  espace.addEventListener('submit', async (e) => {
    const formulaire = e.target;
    const autre = !formulaire.closest('#panneau') || formulaire.method !== 'post' || !/\/fiches\/\d+\/$/.test(new URL(formulaire.getAttribute('action'), location.href).pathname);
    if (e.defaultPrevented || autre || !large.matches || !window.htmx) return;
    e.preventDefault();
    if (formulaire.dataset.envoye) return;
    formulaire.dataset.envoye = '1';
    const cle = panneau.querySelector('[data-fiche]')?.dataset.fiche;
    const values = e.submitter?.name ? { [e.submitter.name]: e.submitter.value } : {};
    await demander('POST', formulaire.getAttribute('action'), { source: formulaire, values });
    if (!panneau.querySelector('[data-fiche]')) viser(cle);
    else panneau.querySelector('[role="alert"], .resume-erreurs')?.scrollIntoView({ block: 'start' });
  });

  panneau.addEventListener('htmx:afterSwap', (e) => { if (e.detail.target === panneau) { saisie = commencee(); situer(); } }); // not a comment's
  for (const quoi of ['input', 'change']) panneau.addEventListener(quoi, (e) => { if (e.target.closest('.formulaire-fiche')) saisie = true; });
  document.addEventListener('submit', (e) => { if (!e.defaultPrevented) saisie = false; });
  addEventListener('beforeunload', (e) => { if (saisie) e.preventDefault(); });

  document.addEventListener('espace:arbre', situer);
  document.addEventListener('espace:viser', (e) => viser(e.detail));
  document.addEventListener('espace:ouvrir', (e) => { if (large.matches && quitter()) lire(e.detail); else location.assign(e.detail); });
  // A fiche that a gesture changed is read again, unless somebody is typing in it.
  document.addEventListener('espace:changees', (e) => {
    const cle = panneau.querySelector('[data-fiche]')?.dataset.fiche;
    if (!cle || saisie || !e.detail.includes(cle)) return;
    lire(document.getElementById(`fiche-${cle}`) ? `${base}fiches/${cle}/` : base);
  });

  const nommee = () => /^#fiche-\d+$/.test(location.hash) && viser(location.hash.slice(7));
  nommee();
  customElements.whenDefined('ror-arbre').then(() => { const a = espace.querySelector('.arbre-actif .arbre-nom'); if (a) montrer(a); });
  addEventListener('hashchange', nommee);
}
