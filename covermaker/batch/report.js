
(() => {
  const rows = [...document.querySelector("#songs tbody").rows];
  const heads = [...document.querySelectorAll("#songs th")];
  const make = (name, facts) => Object.assign(document.createElement(name), facts);

  // What a row is sorted by: words, else a time or a number; what has none comes last. Without a cover a row has one
  // cell for what is between state and time.
  const value = (row, column) => {
    const whole = row.cells.length === heads.length;
    const cell = whole || column < 3 ? row.cells[column] : column === heads.length - 1 ? row.cells[4] : null;
    const text = (cell?.firstChild?.textContent ?? "").trim();
    if (column === 1 || column === 2) return text;
    const number = text.split(":").reduce((sum, part) => 60 * sum + parseFloat(part), 0);
    return isNaN(number) ? null : number;
  };
  const compare = (one, other) => typeof one === "number" ? one - other : one.localeCompare(other);

  // Rows stay where they are in the document: moving thousands of players takes seconds, and stops the one that plays.
  const sort = (column, falls) => {
    const known = rows.map((row, index) => [value(row, column), index, row]);
    known.sort(([one, i], [other, j]) =>
      (one === null) - (other === null) || (one !== null && (falls ? -1 : 1) * compare(one, other)) || i - j);
    known.forEach((one, place) => { one[2].style.order = place; });
    heads.forEach((head, index) => index === column
      ? head.setAttribute("aria-sort", falls ? "descending" : "ascending") : head.removeAttribute("aria-sort"));
  };
  heads.forEach((head, column) => {
    if (column === 3) return;
    const button = make("button", { type: "button", textContent: head.textContent });
    button.onclick = () => sort(column, head.getAttribute("aria-sort") === "ascending");
    head.replaceChildren(button);
  });

  const tools = make("p", { className: "tools" });
  const find = make("input", { type: "search", placeholder: "Filter: a title, artist, voice or cause", ariaLabel: "Filter" });
  const state = make("select", { ariaLabel: "State" });
  const order = make("select", { ariaLabel: "Order", className: "cards" });
  const count = make("span", { role: "status" });
  const states = [...new Set(rows.map((row) => row.className))];
  state.append(new Option("all states", ""), ...states.map((name) => new Option(name, name)));
  order.append(...heads.flatMap((head, column) => column === 3 ? [] : [
    new Option(`by ${head.textContent}`, column), new Option(`by ${head.textContent}, falling`, `${column} falls`)]));
  order.onchange = () => sort(parseInt(order.value), order.value.endsWith("falls"));
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const filter = () => {
    const wanted = find.value.toLowerCase().split(/\s+/);
    let shown = 0;
    rows.forEach((row, index) => {
      row.hidden = (state.value && row.className !== state.value) || !wanted.every((word) => texts[index].includes(word));
      shown += !row.hidden;
    });
    count.textContent = shown === rows.length ? "" : `${shown} of ${rows.length} songs`;
  };
  find.oninput = state.onchange = filter;
  tools.append(find, state, order, count);
  document.querySelector("#songs").before(tools);

  let sounding = null;
  document.addEventListener("play", (event) => {
    if (sounding && sounding !== event.target) sounding.pause();
    sounding = event.target;
  }, true);
})();
