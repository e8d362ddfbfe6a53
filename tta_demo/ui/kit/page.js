() => {
  const name = () => document.querySelectorAll('[id$="examples"]').forEach((strip) =>
    strip.querySelectorAll('button').forEach((button, i) => {
      if (!button.ariaLabel) button.ariaLabel = `Example ${i + 1}`;
    }));
  name();
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
}
