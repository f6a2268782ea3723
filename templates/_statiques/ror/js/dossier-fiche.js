// A new Type d'UO: the name follows it as long as nobody typed another one (acceptance 70), and what is not known to go
// with it is shown at once, to keep or to take off. Without this file both are done when the fiche is saved.

class FicheDossier extends HTMLElement {
  connectedCallback() {
    const type = this.querySelector('[name="type_uo"]');
    const nom = this.querySelector('[name="nom"]');
    if (!type || !nom) return;
    const noms = JSON.parse(this.dataset.noms);
    const proposes = new Set(Object.values(noms));
    const question = document.createElement('div');
    question.setAttribute('aria-live', 'polite');
    type.closest('.champ').append(question);
    type.addEventListener('change', () => {
      for (const ancienne of this.querySelectorAll('.question-type')) ancienne.remove();
      const formulaire = type.form;
      window.htmx?.ajax('POST', formulaire.getAttribute('action'), { source: formulaire, target: question, swap: 'innerHTML', values: { etape: 'type' } });
      const nouveau = noms[type.value];
      if (!nouveau || (nom.value.trim() && !proposes.has(nom.value.trim()))) return;
      nom.value = nouveau;
      window.rorAnnoncer?.(`Nom proposé : ${nouveau}`);
    });
  }
}
customElements.define('ror-fiche-dossier', FicheDossier);
