"use strict";
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th");
    const table = head.closest("table");
    const column = [...head.parentElement.children].indexOf(head);
    const numeric = head.classList.contains("number");
    const now = head.getAttribute("aria-sort");
    const down = now ? now === "ascending" : numeric;
    for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => row.children[column].dataset.sort;
    for (const body of table.querySelectorAll("tbody:not(.apart)")) {
      const rows = [...body.rows];
      rows.sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
        const order = numeric ? Number(x) - Number(y) : x.localeCompare(y);
        return down ? -order : order;
      });
      body.append(...rows);
    }
  });
}
window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not(.bulk)")) details.open = true;
});

function openEvidence() {
  const target = document.getElementById(location.hash.slice(1));
  const around = target && target.closest("details");
  if (around) around.open = true;
}
addEventListener("hashchange", openEvidence);
openEvidence();
