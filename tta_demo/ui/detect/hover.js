const say = (event) => {
  const box = event.target.closest('[data-told]');
  const told = element.querySelector('.told');
  if (told && box) told.textContent = box.dataset.told;
};
element.addEventListener('mouseover', say);
element.addEventListener('focusin', say);
element.addEventListener('click', say);
