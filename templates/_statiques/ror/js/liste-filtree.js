// A long list of radios: one field narrows it, the arrows choose, Enter sends the form.

const nu = (t) => t.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase();

class ListeFiltree extends HTMLElement {
  connectedCallback() {
    const champ = this.querySelector('[data-filtre]');
    const annonce = this.querySelector('[data-annonce]');
    const visibles = () => [...this.querySelectorAll('[data-ligne]:not([hidden]) input')];
    champ?.addEventListener('input', () => {
      const mots = nu(champ.value).split(/\s+/).filter(Boolean);
      for (const ligne of this.querySelectorAll('[data-ligne]')) ligne.hidden = !mots.every((m) => nu(ligne.textContent).includes(m));
      const restent = visibles();
      const coche = this.querySelector('[data-ligne] input:checked');
      if (coche && !restent.includes(coche)) coche.checked = false;
      const n = restent.length;
      annonce.textContent = mots.length ? (n ? `${n} place${n > 1 ? 's' : ''}` : 'Aucune place de ce nom') : '';
    });
    champ?.addEventListener('keydown', (e) => {
      const restent = visibles();
      if (e.key === 'ArrowDown' && restent.length) {
        e.preventDefault();
        restent[0].checked = true;
        restent[0].focus();
      } else if (e.key === 'Enter') {
        e.preventDefault();
        if (restent.length === 1) restent[0].checked = true;
        if (restent.some((r) => r.checked)) champ.form.requestSubmit();
      }
    });
    // From the list, typing goes back to the field; up from the first place too.
    this.addEventListener('keydown', (e) => {
      if (!e.target.matches('[data-ligne] input')) return;
      const haut = e.key === 'ArrowUp' && e.target === visibles()[0];
      if (haut || (e.key.length === 1 && e.key !== ' ' && !e.ctrlKey && !e.metaKey && !e.altKey)) champ.focus();
      if (haut) e.preventDefault();
    });
  }
}
customElements.define('ror-liste-filtree', ListeFiltree);
