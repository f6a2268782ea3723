// A button that copies what its data-copier names; without the clipboard (plain HTTP) it stays hidden: select by hand.
if (navigator.clipboard) {
  for (const bouton of document.querySelectorAll('[data-copier]')) {
    bouton.hidden = false;
    const mot = bouton.querySelector('span');
    const avant = mot.textContent;
    bouton.addEventListener('click', async () => {
      await navigator.clipboard.writeText(document.getElementById(bouton.dataset.copier).textContent);
      mot.textContent = 'Copié';
      window.rorAnnoncer?.('Copié');
      setTimeout(() => { mot.textContent = avant; }, 2000);
    });
  }
}
