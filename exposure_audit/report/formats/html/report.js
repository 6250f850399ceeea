"use strict";
(() => {
  const findings = [...document.querySelectorAll(".finding")];
  const filter = document.querySelector(".filter");
  const text = document.getElementById("text");
  const shown = document.getElementById("shown");
  const boxes = [...document.querySelectorAll("input[name=severity]")];
  if (findings.length) filter.hidden = false;

  let words = null;
  const wordsOf = () => (words ??= findings.map((one) => one.textContent.toLowerCase()));

  const apply = () => {
    const wanted = text.value.trim().toLowerCase();
    const severities = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const texts = wanted ? wordsOf() : null;
    let count = 0;
    findings.forEach((one, number) => {
      const fits = severities.has(one.dataset.severity) && (!texts || texts[number].includes(wanted));
      if (one.hidden === fits) one.hidden = !fits;
      if (fits) count += 1;
    });
    shown.textContent = `${count.toLocaleString("en")} of ${findings.length.toLocaleString("en")} shown`;
  };

  let waiting = 0;
  text.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 120);
  });
  boxes.forEach((box) => box.addEventListener("change", apply));
  document.getElementById("open-all").addEventListener("click", () => {
    findings.filter((one) => !one.hidden).slice(0, 200).forEach((one) => { one.open = true; });
  });

  const reveal = () => {
    const one = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (one instanceof HTMLDetailsElement) {
      one.hidden = false;
      one.open = true;
      one.scrollIntoView();
    }
  };
  addEventListener("hashchange", reveal);
  addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((one) => { one.open = true; });
  });
  apply();
  if (location.hash) reveal();
})();
