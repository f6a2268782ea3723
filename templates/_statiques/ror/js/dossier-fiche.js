// A new Type d'UO: its champ d'activité is chosen with it (the group of the list that it is in), the name follows it as
// long as nobody typed another one (acceptance 70), and what is not known to go with it is shown at once, to keep or to
// take off. Without this file all of it is done when the fiche is saved.

class FicheDossier extends HTMLElement {
  connectedCallback() {
    const type = this.querySelector('[name="type_uo"]');
    const nom = this.querySelector('[name="nom"]');
    const champ = this.querySelector('[name="champ_activite"]');
    if (!type || !nom) return;
    const noms = JSON.parse(this.dataset.noms);
    const proposes = new Set(Object.values(noms));
    const question = document.createElement('div');
    question.setAttribute('aria-live', 'polite');
    type.closest('.champ').append(question);
    type.addEventListener('change', () => {
      for (const ancienne of this.querySelectorAll('.question-type')) ancienne.remove();
      const dits = [];
      const groupe = type.selectedOptions[0]?.closest('optgroup');
      const duType = groupe && champ && [...champ.options].find((o) => o.text === groupe.label);
      if (duType && !duType.selected) {
        duType.selected = true;
        dits.push(`Champ d’activité : ${groupe.label}`);
      }
      const formulaire = type.form;
      window.htmx?.ajax('POST', formulaire.getAttribute('action'), { source: formulaire, target: question, swap: 'innerHTML', values: { etape: 'type' } });
      const nouveau = noms[type.value];
      if (nouveau && (!nom.value.trim() || proposes.has(nom.value.trim()))) {
        nom.value = nouveau;
        dits.push(`Nom proposé : ${nouveau}`);
      }
      if (dits.length) window.rorAnnoncer?.(dits.join('. '));
    });
  }
}
customElements.define('ror-fiche-dossier', FicheDossier);
