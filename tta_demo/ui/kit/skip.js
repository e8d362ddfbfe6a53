// A plain anchor would load the page anew: gradio gives it another base address.
element.querySelector("button").addEventListener("click", () => {
  const results = document.querySelectorAll('#stage section, [id$="results"]');
  const shown = [...results].find((one) => one.getClientRects().length);
  if (!shown) return;
  shown.tabIndex = -1;
  shown.focus();
});
