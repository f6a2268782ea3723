// Gestures on the tree: the question comes in a dialog, the answer changes only what changed, with a toast to take it back.

const espace = document.querySelector('[data-dossier]');
const dialogue = document.getElementById('dialogue-dossier');
const GESTE = /\/(ajouter|dupliquer|deplacer|supprimer|finaliser|annuler|defaire)\/$/;

const estGeste = (adresse) => {
  const { pathname } = new URL(adresse, location.href);
  return pathname.startsWith(espace.dataset.dossier) && GESTE.test(pathname);
};

/** Ask for a gesture, or do it, for the other modules. `values` of a form, `source`: what shows that it is under way. */
window.rorGeste = (methode, url, values = {}, source = dialogue) =>
  window.htmx.ajax(methode, url, { source, target: '#dialogue-corps', swap: 'innerHTML', values });

if (espace && dialogue && window.HTMLDialogElement) {
  const corps = document.getElementById('dialogue-corps');
  const fermer = () => { if (dialogue.open) dialogue.close(); corps.replaceChildren(); };
  // What had the focus is hidden with the menu that held it: its line takes it back.
  const ranger = (el) => {
    const menu = el?.closest('details.deroulant[open]');
    if (!menu) return;
    menu.open = false;
    (menu.closest('.arbre-ligne') ?? menu.querySelector('summary')).focus();
  };

  document.addEventListener('click', (e) => {
    if (e.target === dialogue || e.target.closest('[data-fermer]')) {
      if (dialogue.open) { e.preventDefault(); fermer(); }
      return;
    }
    const lien = e.target.closest('a[href]');
    if (!lien || !window.htmx || e.defaultPrevented || e.button || e.ctrlKey || e.metaKey || e.shiftKey || !estGeste(lien.href)) return;
    e.preventDefault();
    ranger(lien);
    window.rorGeste('GET', lien.href);
  });

  document.addEventListener('submit', (e) => {
    const formulaire = e.target;
    const adresse = e.submitter?.getAttribute('formaction') ?? formulaire.getAttribute('action') ?? '';
    if (e.defaultPrevented || formulaire.method !== 'post' || !window.htmx || !estGeste(adresse)) return;
    e.preventDefault();
    if (formulaire.dataset.envoye) return;
    formulaire.dataset.envoye = '1';
    ranger(formulaire);
    const bouton = e.submitter;
    window.rorGeste('POST', adresse, bouton?.name ? { [bouton.name]: bouton.value } : {}, formulaire);
  }, true);

  document.addEventListener('htmx:configRequest', (e) => { e.detail.headers['X-Dossier-Vu'] = espace.dataset.vu; });

  document.addEventListener('htmx:afterSwap', (e) => {
    const { id } = e.detail.target;
    if (id === 'arbre-dossier') {
      document.dispatchEvent(new CustomEvent('espace:arbre'));
      document.querySelector('#outils-dossier [aria-current]')?.focus({ preventScroll: true });
    }
    if (id === 'nouvelles' || id === 'alertes') fermer();
    if (id === 'nouvelles') document.dispatchEvent(new CustomEvent('espace:fait'));
    if (id !== 'dialogue-corps' || !corps.querySelector('section')) return;
    if (!dialogue.open) dialogue.showModal();
    (corps.querySelector('[data-filtre], input:checked, input:not([type=hidden]), button[type=submit]') ?? dialogue).focus();
  });
  // A request that this page could not send leaves its form usable.
  document.addEventListener('htmx:afterRequest', (e) => { delete e.detail.elt?.dataset?.envoye; });

  class Nouvelles extends HTMLElement {
    connectedCallback() {
      const { vu, ici, ouvrir } = this.dataset;
      const neuf = this.querySelector('template').content;
      espace.dataset.vu = vu;
      for (const champ of document.querySelectorAll('input[name="vu"]')) champ.value = vu;
      const lignes = neuf.querySelector('[data-lignes]');
      const retirees = lignes.dataset.retirees.split(' ').filter(Boolean);
      const changees = [...lignes.children].map((li) => li.querySelector('.arbre-nom').id.slice(6)).concat(retirees);
      document.querySelector('#arbre-dossier ror-arbre')?.poser([...lignes.children], retirees);
      for (const partie of [...neuf.children]) {
        const place = partie.id && document.getElementById(partie.id);
        if (!place) continue;
        place.replaceChildren(...partie.childNodes);
        window.htmx.process(place);
        place.dispatchEvent(new CustomEvent('htmx:load', { bubbles: true, detail: { elt: place } }));
      }
      document.getElementById('messages').replaceChildren(); // what the page said before this
      this.remove();
      const dire = (nom, detail) => document.dispatchEvent(new CustomEvent(`espace:${nom}`, { detail }));
      dire('arbre');
      dire('changees', changees);
      if (ouvrir) dire('ouvrir', ouvrir);
      else if (ici) dire('viser', ici);
    }
  }
  customElements.define('ror-nouvelles', Nouvelles);
}
