// A drawing of the flow that is wider than its frame opens on the step where the dossier is. At once: nothing moves.

for (const cadre of document.querySelectorAll(".schema-cadre")) {
  const ici = cadre.querySelector(".schema-ici");
  if (ici && cadre.scrollWidth > cadre.clientWidth) {
    const etape = ici.getBoundingClientRect();
    const vue = cadre.getBoundingClientRect();
    const ecart = etape.left + etape.width / 2 - (vue.left + vue.width / 2);
    cadre.scrollBy({ left: ecart, behavior: "instant" });
  }
}
