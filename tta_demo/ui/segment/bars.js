element.addEventListener('click', (event) => {
  const bar = event.target.closest('[data-view]');
  if (bar) trigger('select', { look: bar.dataset.view });
});
