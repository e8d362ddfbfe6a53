() => {
  const name = () => document.querySelectorAll('[id$="examples"]').forEach((strip) => {
    const verdicts = document.querySelectorAll(`#${strip.id}-verdicts span`);
    strip.querySelectorAll('button').forEach((button, i) => {
      if (button.innerText.trim()) return; // it says itself what it is
      const label = [`Example ${i + 1}`, verdicts[i]?.innerText].filter(Boolean).join(': ');
      if (button.ariaLabel !== label) button.ariaLabel = label;
    });
  });
  name();
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
}
