"use strict";
// Frame: zoom by buttons and double click, then drag.
document.querySelectorAll(".micrograph").forEach(box => {
  const svg = box.querySelector(".zoom");
  if (!svg) return;
  const bar = box.querySelector(".scale-bar");
  const whole = svg.viewBox.baseVal, W = whole.width, H = whole.height;
  let view = {x: 0, y: 0, w: W};
  // The longest round length that is not longer on the screen than the one of the whole frame.
  const scale = factor => {
    const path = bar.querySelector("path"), text = bar.querySelector("text");
    const whole = +bar.dataset.angstrom, longest = whole / factor * (1 + 1e-9);
    const power = Math.pow(10, Math.floor(Math.log10(longest)));
    const length = power * [5, 2, 1].find(f => f * power <= longest);
    const px = +bar.dataset.length * length / whole * factor, y = path.getAttribute("d").split(" ")[1].split("h")[0];
    path.setAttribute("d", `M${+text.getAttribute("x") - px / 2} ${y}h${px}`);
    text.textContent = length < 10 ? `${+length.toPrecision(1)} Å` : `${+(length / 10).toPrecision(1)} nm`;
  };
  const show = () => {
    const h = view.w * H / W;
    view.x = Math.min(Math.max(view.x, 0), W - view.w);
    view.y = Math.min(Math.max(view.y, 0), H - h);
    svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${h}`);
    box.classList.toggle("zoomed", view.w < W);
    if (bar) scale(W / view.w);
  };
  const zoom = (factor, cx = 0.5, cy = 0.5) => {
    const w = Math.min(W, Math.max(W / 24, view.w / factor));
    view.x += (view.w - w) * cx;
    view.y += (view.w - w) * cy * H / W;
    view.w = w;
    show();
  };
  const tools = document.createElement("span");
  tools.className = "tools";
  for (const [text, title, act] of [["+", "zoom in", () => zoom(1.6)], ["−", "zoom out", () => zoom(1 / 1.6)],
                                    ["whole frame", "show the whole frame", () => zoom(0)]]) {
    const button = document.createElement("button");
    button.type = "button"; button.textContent = text; button.title = title; 
    button.addEventListener("click", act);
    tools.append(button);
  }
  box.querySelector(".toggles").append(tools);
  const place = e => { const r = svg.getBoundingClientRect(); return [(e.clientX - r.left) / r.width, (e.clientY - r.top) / r.height]; };
  svg.addEventListener("dblclick", e => { e.preventDefault(); zoom(2, ...place(e)); });
  let last = null;
  svg.addEventListener("pointerdown", e => { if (view.w < W) { last = place(e); svg.setPointerCapture(e.pointerId); } });
  svg.addEventListener("pointerup", () => { last = null; });
  svg.addEventListener("pointermove", e => {
    if (!last) return;
    const now = place(e);
    view.x -= (now[0] - last[0]) * view.w;
    view.y -= (now[1] - last[1]) * view.w * H / W;
    last = now;
    show();
  });
});
// Curves: the values under the pointer.
document.querySelectorAll(".art > svg").forEach(svg => {
  const panels = [...svg.querySelectorAll("g.panel[data-x]")].map(g => {
    const axis = text => {
      const [p0, p1, v0, v1, scale] = text.split(" ");
      const a = +p0, b = +p1, lo = +v0, hi = +v1;
      return {a, b, value: p => { const t = (p - a) / (b - a); return scale === "linear" ? lo + t * (hi - lo) : lo * Math.pow(hi / lo, t); }};
    };
    const curves = [...g.querySelectorAll("path.curve")].map(path => ({
      path, points: [...path.getAttribute("d").matchAll(/[ML]([-\d.]+) ([-\d.]+)/g)].map(m => [+m[1], +m[2]])}));
    return {g, x: axis(g.dataset.x), y: axis(g.dataset.y), curves};
  });
  if (!panels.length) return;
  const ns = "http://www.w3.org/2000/svg";
  const layer = document.createElementNS(ns, "g");
  layer.setAttribute("class", "readout");
  svg.append(layer);
  const short = v => { const a = Math.abs(v); return (a !== 0 && (a < 1e-3 || a >= 1e6) ? v.toExponential(2) : String(+v.toPrecision(5))).replace("-", "−"); };
  const clear = () => { while (layer.firstChild) layer.firstChild.remove(); };
  const add = (name, attributes, text) => {
    const e = document.createElementNS(ns, name);
    for (const k in attributes) e.setAttribute(k, attributes[k]);
    if (text) e.textContent = text;
    layer.append(e);
    return e;
  };
  svg.addEventListener("pointerleave", clear);
  svg.addEventListener("pointermove", e => {
    const r = svg.getBoundingClientRect();
    const px = (e.clientX - r.left) * svg.viewBox.baseVal.width / r.width;
    clear();
    const x = panels[0].x;
    if (px < x.a || px > x.b) return;
    for (const panel of panels) {
      const curve = panel.curves[panel.curves.length - 1];
      if (!curve || !curve.points.length) continue;
      const near = curve.points.reduce((best, p) => Math.abs(p[0] - px) < Math.abs(best[0] - px) ? p : best);
      const bottom = panel.y.a, top = panel.y.b;
      add("path", {class: "level", d: `M${near[0]} ${top}V${bottom}`});
      add("circle", {class: curve.path.getAttribute("class").replace("curve ", "").replace(/c(\d)/, "f$1"), cx: near[0], cy: near[1], r: 3.2});
      const right = near[0] > (x.a + x.b) / 2;
      const text = `${short(panel.x.value(near[0]))}: ${short(panel.y.value(near[1]))}`;
      const label = add("text", {class: "label" + (right ? " end" : ""), x: near[0] + (right ? -7 : 7), y: top + 12}, text);
      const b = label.getBBox();
      const plate = add("rect", {class: "ground", x: b.x - 3, y: b.y - 1, width: b.width + 6, height: b.height + 2, "fill-opacity": 0.85});
      layer.insertBefore(plate, label);
    }
  });
});
