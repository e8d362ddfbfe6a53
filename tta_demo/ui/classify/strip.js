element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-number]");
  if (!button) return;
  props.value = Number(button.dataset.number);
  trigger("click");
});
