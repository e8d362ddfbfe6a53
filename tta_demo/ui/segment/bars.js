element.addEventListener('click', (event) => {
  const bar = event.target.closest('[data-view]');
  if (bar) trigger('select', { view: bar.dataset.view });
});
