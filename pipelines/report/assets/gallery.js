/* The pictures: slider, choice of pair and view, filter, sorting, and the large view. */
for (const gallery of document.querySelectorAll(".gallery")) {
  const grid = gallery.querySelector(".cards");
  const cards = [...grid.children];
  const find = (selector) => gallery.querySelector(selector);
  const [filter, sort, shown, more] = ["[data-filter]", "[data-sort]", "[data-shown]", "[data-more]"].map(find);
  const nothing = Object.assign(document.createElement("p"), { className: "nothing", textContent: "No picture has such a name.", hidden: true });
  grid.after(nothing);
  let limit = Number(gallery.dataset.first);
  let matching = cards;

  const titled = (name) => name.charAt(0).toUpperCase() + name.slice(1);

  function setCut(pair, percent) {
    pair.style.setProperty("--cut", `${percent}%`);
    pair.querySelector(".mark.left").classList.toggle("faint", percent < 12);
    pair.querySelector(".mark.right").classList.toggle("faint", percent > 88);
  }

  /* A card without one of the two pictures (no truth, say) goes on comparing input and output. */
  function setPair(pair, left, right) {
    const figures = [...pair.querySelectorAll("figure")];
    const names = figures.map((figure) => figure.dataset.picture);
    const [a, b] = names.includes(left) && names.includes(right) ? [left, right] : ["input", "output"];
    figures.forEach((figure, index) => { figure.className = names[index] === a ? "left" : names[index] === b ? "right" : "off"; });
    pair.querySelector(".mark.left").textContent = titled(a);
    pair.querySelector(".mark.right").textContent = titled(b);
  }

  function press(buttons, pressed) {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button === pressed));
  }

  const pairButtons = [...gallery.querySelectorAll("[data-left]")];
  for (const button of pairButtons) {
    button.addEventListener("click", () => {
      press(pairButtons, button);
      for (const card of cards) setPair(card.querySelector(".pair"), button.dataset.left, button.dataset.right);
    });
  }

  const viewButtons = [...gallery.querySelectorAll("button[data-view]")];
  for (const button of viewButtons) {
    button.addEventListener("click", () => {
      press(viewButtons, button);
      gallery.dataset.view = button.dataset.view;
    });
  }

  gallery.addEventListener("input", ({ target }) => {
    if (target.type === "range") setCut(target.closest(".pair"), Number(target.value));
  });

  function score(card, metric) {
    const entry = [...card.querySelectorAll("[data-metric]")].find((candidate) => candidate.dataset.metric === metric);
    if (!entry) return null;
    return entry.dataset.value === "" ? NaN : Number(entry.dataset.value);
  }

  /* As in the page as written: what is not a number is worst, what has no score comes last. */
  function ordered() {
    const choice = sort.value;
    if (choice === "name") {
      return [...cards].sort((one, other) => one.dataset.key.localeCompare(other.dataset.key, undefined, { numeric: true }));
    }
    const [direction, ...rest] = choice.split(":");
    const sign = direction === "down" ? -1 : 1;
    const worst = sort.selectedOptions[0].textContent.endsWith("worst first") ? -Infinity : Infinity;
    const rank = (card) => {
      const value = score(card, rest.join(":"));
      return value === null ? [1, 0] : [0, Number.isNaN(value) ? worst : sign * value];
    };
    const ranked = cards.map((card) => [card, rank(card)]);
    ranked.sort(([, one], [, other]) => one[0] - other[0] || (one[1] < other[1] ? -1 : one[1] > other[1] ? 1 : 0));
    return ranked.map(([card]) => card);
  }

  function update() {
    const words = filter.value.trim().toLowerCase();
    matching = ordered().filter((card) => card.dataset.key.toLowerCase().includes(words));
    const visible = new Set(matching.slice(0, limit));
    for (const card of cards) card.hidden = !visible.has(card);
    grid.append(...matching);
    nothing.hidden = matching.length > 0;
    more.parentElement.hidden = matching.length <= limit;
    more.textContent = `Show all ${matching.length}`;
    const total = words ? `${matching.length} found` : `${cards.length}`;
    shown.textContent = visible.size < matching.length ? `${visible.size} of ${total}` : words ? total : cards.length === 1 ? "1 picture" : `${total} pictures`;
  }

  filter.addEventListener("input", update);
  sort.addEventListener("change", update);
  more.addEventListener("click", () => { limit = Infinity; update(); });

  const box = find("dialog");
  let open = 0;

  function showLarge(index) {
    open = (index + matching.length) % matching.length;
    const card = matching[open];
    const stage = card.querySelector(".stage").cloneNode(true);
    const strip = Object.assign(document.createElement("div"), { className: "strip" });
    for (const figure of stage.querySelectorAll("figure")) {
      const copy = figure.cloneNode(true);
      copy.className = "";
      strip.append(copy);
    }
    const pair = stage.querySelector(".pair");
    const [width, height] = ["width", "height"].map((side) => Number(stage.querySelector("img").getAttribute(side)));
    pair.style.setProperty("--ratio", width / height);
    setCut(pair, 50);
    stage.querySelector("input").value = 50;
    box.querySelector("[data-title]").textContent = `${card.dataset.key} (${open + 1} of ${matching.length})`;
    box.querySelector("[data-body]").replaceChildren(stage, card.querySelector(".scores").cloneNode(true), strip);
  }

  box.querySelector("[data-previous]").addEventListener("click", () => showLarge(open - 1));
  box.querySelector("[data-next]").addEventListener("click", () => showLarge(open + 1));
  box.querySelector("[data-close]").addEventListener("click", () => box.close());
  box.addEventListener("click", ({ target }) => { if (target === box) box.close(); });
  box.addEventListener("keydown", (event) => {
    if (event.target.type === "range" || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    event.preventDefault();
    showLarge(open + (event.key === "ArrowRight" ? 1 : -1));
  });
  grid.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-open]");
    if (!button) return;
    showLarge(matching.indexOf(button.closest(".card")));
    box.showModal();
  });

  update();
}
