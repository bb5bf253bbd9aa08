// Found by a look at the finished page: what a reader with bad eyes, or none, would stumble over. Returns sentences.
() => {
  const found = [];
  const shown = (element) => {
    const box = element.getBoundingClientRect();
    const look = getComputedStyle(element);
    return box.width > 1 && box.height > 1 && look.visibility !== "hidden" && look.display !== "none";
  };
  const said = (element) => `${element.tagName.toLowerCase()}${element.id ? `#${element.id}` : ""}.${element.className.baseVal ?? element.className} "${element.textContent.trim().slice(0, 40)}"`;

  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of new Set(ids)) if (ids.filter((one) => one === id).length > 1) found.push(`id ${id} is there twice`);
  for (const name of ["aria-labelledby", "aria-describedby", "for"]) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      for (const id of element.getAttribute(name).split(" ")) {
        if (!ids.includes(id)) found.push(`${said(element)}: ${name} names ${id}, which is not there`);
      }
    }
  }
  for (const control of document.querySelectorAll("button, input, select, [role=meter], [role=img], dialog[open]")) {
    if (!shown(control)) continue;
    const label = control.getAttribute("aria-label") || control.getAttribute("aria-labelledby") ||
      (control.matches("button") && control.textContent.trim()) || control.labels?.length;
    if (!label) found.push(`${said(control)} has no name`);
  }
  let level = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
    if (!shown(heading)) continue;
    const own = Number(heading.tagName[1]);
    if (own > level + 1) found.push(`${said(heading)} skips a level after h${level}`);
    level = own;
  }
  for (const one of ["header", "main", "aside", "h1"]) {
    if (document.querySelectorAll(one).length !== 1) found.push(`there is not one ${one}`);
  }
  if (!document.documentElement.lang) found.push("the language is not named");

  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const rgba = (colour) => {
    if (known.has(colour)) return known.get(colour);
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    known.set(colour, [red, green, blue, alpha / 255]);
    return known.get(colour);
  };
  const over = (top, under) => top.slice(0, 3).map((value, at) => value * top[3] + under[at] * (1 - top[3]));
  const light = (colour) => {
    const [red, green, blue] = colour.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) layers.push(rgba(getComputedStyle(one).backgroundColor));
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !shown(element) || element.closest(":disabled, noscript, .unseen, .skip")) continue;
    const look = getComputedStyle(element);
    let alpha = 1;
    for (let one = element; one; one = one.parentElement) alpha *= Number(getComputedStyle(one).opacity);
    const under = ground(element);
    const ink = rgba(element.closest("svg") ? look.fill : look.color);
    const [a, b] = [light(over([...ink.slice(0, 3), ink[3] * alpha], under)), light(under)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`${said(element)} has a contrast of ${ratio.toFixed(2)}`);
  }
  return found;
}
