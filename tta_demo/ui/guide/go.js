() => {
  document.querySelector("#tabs [role=tab]").click();
  requestAnimationFrame(() => {
    document.querySelector("#stage .play").focus({ preventScroll: true });
    scrollTo({ top: 0 });
  });
}
