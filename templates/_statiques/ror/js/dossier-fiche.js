// The name of an UO follows its type, as long as nobody typed another one (acceptance 70).

class FicheDossier extends HTMLElement {
  connectedCallback() {
    const donnees = this.querySelector('#noms-proposes');
    const type = this.querySelector('[name="type_uo"]');
    const nom = this.querySelector('[name="nom"]');
    if (!donnees || !type || !nom) return;
    const noms = JSON.parse(donnees.textContent);
    const proposes = new Set(Object.values(noms));
    type.addEventListener('change', () => {
      const nouveau = noms[type.value];
      if (!nouveau || (nom.value.trim() && !proposes.has(nom.value.trim()))) return;
      nom.value = nouveau;
      window.rorAnnoncer?.(`Nom proposé : ${nouveau}`);
    });
  }
}
customElements.define('ror-fiche-dossier', FicheDossier);
