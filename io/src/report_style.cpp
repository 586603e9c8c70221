// SPDX-License-Identifier: Apache-2.0
// How the report looks and what little it does when touched.
#include <fmt/format.h>

#include "report_parts.hpp"

namespace stembridge::io {
namespace {

constexpr std::string_view layout = R"css(
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.6 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.page{max-width:1140px;margin:0 auto;padding:clamp(24px,5vw,72px) clamp(18px,4vw,48px)}
h1,h2{font-family:Charter,"Iowan Old Style","Palatino Linotype","URW Palladio L",Palatino,Georgia,serif;font-weight:600;line-height:1.2;letter-spacing:-.01em;text-wrap:balance}
h1{font-size:clamp(1.75rem,4.2vw,2.6rem);margin:0 0 .35em}
h2{font-size:1.55rem;margin:0 0 .3em}
h3{font-size:1rem;font-weight:600;margin:0 0 .7em}
p{margin:0 0 1em;max-width:68ch}
.subtitle{color:var(--soft);font-size:1.06rem;margin-bottom:1.6em;overflow-wrap:anywhere}
.lead{color:var(--soft);margin-bottom:1.8em}
.warnings{border-left:4px solid var(--warn);background:var(--warn-ground);padding:14px 20px;margin:0 0 2em;border-radius:0 6px 6px 0}
.warnings h2{font-family:inherit;font-size:1rem;line-height:1.5;margin:0 0 .2em;letter-spacing:0}
.warnings ul{margin:0;padding-left:1.2em}
.warnings li{overflow-wrap:anywhere}
.stages{display:flex;flex-wrap:wrap;gap:8px 26px;list-style:none;margin:0 0 2.4em;padding:0;font-size:.92rem}
.stages li{display:flex;align-items:baseline;gap:8px}
.stages .mark{align-self:center;flex:none;width:17px;height:17px;border-radius:50%;font:700 11px/17px ui-sans-serif,system-ui,sans-serif;text-align:center;color:var(--ground);background:var(--good)}
.stages .not_converged .mark{background:var(--warn)}
.stages .failed .mark{background:var(--bad)}
.stages .not_run{color:var(--soft)}
.stages .not_run .mark{background:none;box-shadow:inset 0 0 0 1.5px var(--faint)}
.stages small{color:var(--soft);font-size:.86rem}
.overview{display:grid;grid-auto-flow:column;grid-auto-columns:minmax(0,1fr);gap:30px;margin:0 0 2.8em}
.overview figure{position:relative}
.overview figcaption{margin:0 0 .5em;color:var(--ink);font-weight:600;font-size:.95rem}
.overview figure+figure::before{content:"→";position:absolute;left:-30px;width:30px;text-align:center;top:calc(50% + .4em);color:var(--faint);font-size:1.05rem}
.overview .art{aspect-ratio:1;overflow:hidden;border-radius:6px}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(165px,1fr));gap:26px 30px;margin:0 0 1em}
.tile{border-top:1px solid var(--line);padding-top:10px}
.tile dt{color:var(--soft);font-size:.86rem}
.tile dd{margin:0}
.tile .value{font-size:1.72rem;line-height:1.35;letter-spacing:-.015em;font-variant-numeric:tabular-nums;white-space:nowrap}
.tile .unit{font-size:.92rem;color:var(--soft);letter-spacing:0;margin-left:.25em}
.tile .note{color:var(--soft);font-size:.84rem;line-height:1.4}
section{border-top:1px solid var(--line);margin-top:clamp(38px,5vw,60px);padding-top:clamp(28px,4vw,44px)}
.columns{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:clamp(32px,4vw,44px) clamp(32px,5vw,60px);align-items:start}
.wide-left{grid-template-columns:minmax(0,1.5fr) minmax(0,1fr)}
.columns>*{min-width:0}
.block{margin-bottom:2.2em}
.block:last-child{margin-bottom:0}
figure{margin:0}
.art{max-width:600px}
.art>svg{display:block;width:100%;height:auto}
figcaption{color:var(--soft);font-size:.88rem;line-height:1.5;margin-top:.9em;max-width:62ch}
figcaption b{color:var(--ink);font-weight:600}
.scroll{overflow-x:auto}
figure+.scroll,.columns>div>figure+figure{margin-top:2em}
h2+.columns,h2+.block{margin-top:1.3em}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:7px 14px 7px 0;border-bottom:1px solid var(--line);vertical-align:baseline;font-weight:400}
th{color:var(--soft)}
thead th{font-size:.82rem;border-bottom-color:var(--faint)}
td.number,th.number{text-align:right;padding-right:0;padding-left:11px;white-space:nowrap}
td small,th small{color:var(--soft);white-space:nowrap}
tbody th[scope=row]{color:var(--ink)}
.swatch{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:9px;vertical-align:-1px}
.swatch svg{display:block;width:12px;height:12px}
.toggles{display:flex;flex-wrap:wrap;gap:6px 18px;align-items:center;margin:0 0 .8em;font-size:.9rem}
.toggles label{display:flex;align-items:center;gap:7px;cursor:pointer}
.toggles input{accent-color:var(--accent);width:15px;height:15px;margin:0}
.tools{display:flex;gap:6px;margin-left:auto}
button{font:inherit;font-size:.88rem;color:var(--ink);background:none;border:1px solid var(--line);border-radius:6px;padding:2px 11px;cursor:pointer}
button:hover{border-color:var(--faint)}
.zoomed .zoom{cursor:grab;touch-action:none}
.readout{pointer-events:none}
#viewer .stage canvas{display:block;width:100%;border-radius:6px;background:var(--panel);cursor:grab;touch-action:none}
#viewer:not(.ready) .toggles,#viewer:not(.ready) figure{display:none}
#viewer .film{display:flex;align-items:center;gap:10px}
#viewer [hidden]{display:none}
#viewer input[type=range]{width:160px;accent-color:var(--accent)}
#viewer .bond-ink{fill:var(--faint)}
select{font:inherit;font-size:.9rem;color:var(--ink);background:var(--ground);border:1px solid var(--line);border-radius:6px;padding:2px 6px}
.messages{margin:0;padding-left:1.2em;font-size:.92rem}
.messages li{margin-bottom:.35em;overflow-wrap:anywhere}
dl.facts{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:6px 24px;margin:0;font-size:.9rem}
.facts dt{color:var(--soft)}
.facts dd{margin:0;overflow-wrap:anywhere}
code{overflow-wrap:anywhere}
code,pre{font:.86em/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
pre{background:var(--panel);border-radius:6px;padding:16px 18px;overflow-x:auto;margin:.8em 0 0}
details{margin-top:1.6em;font-size:.95rem}
details>.columns{margin-top:1.2em}
summary{cursor:pointer}
footer{color:var(--soft);font-size:.84rem;margin-top:56px}
@media screen and (min-width:821px){
.sbf text{font-size:11px}
}
@media screen and (max-width:820px){
.columns,.wide-left{grid-template-columns:minmax(0,1fr)}
}
@media screen and (max-width:640px){
body{font-size:15.5px}
.overview{grid-auto-flow:row;grid-template-columns:repeat(2,minmax(0,1fr));gap:18px}
.overview figure+figure::before{display:none}
.tiles{grid-template-columns:repeat(2,minmax(0,1fr));gap:20px}
.tile .value{font-size:1.42rem}
dl.facts{grid-template-columns:minmax(0,1fr);gap:0}
.facts dd{margin-bottom:.7em}
}
@page{margin:16mm 15mm}
@media print{
#view{display:none}
html{font-size:11.5px}
body{font-size:1rem;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.page{max-width:none;padding:0}
.toggles{display:none}
.scroll{overflow:visible}
.columns{gap:18px 28px}
.wide-left{grid-template-columns:minmax(0,1.15fr) minmax(0,1fr)}
figure,table,.tile,.warnings{break-inside:avoid}
h2,h3,.lead{break-after:avoid}
.lead{break-inside:avoid;max-width:none}
section{margin-top:24px;padding-top:20px}
th,td{padding-top:4px;padding-bottom:4px}
}
)css";

constexpr std::string_view light_colors =
    "--ground:#ffffff;--ink:#1d2329;--soft:#5a646e;--faint:#a9b1b8;--line:#e3e7ea;--panel:#f5f7f8;--accent:#"
    "1f6fb2;"
    "--good:#178a6a;--warn:#c56a00;--warn-ground:#fdf4e7;--bad:#bf2f4b";
constexpr std::string_view dark_colors =
    "--ground:#15191d;--ink:#e8ebee;--soft:#a5aeb7;--faint:#5f6a74;--line:#2b3238;--panel:#1d2329;--accent:#"
    "6cb2eb;"
    "--good:#56c5a2;--warn:#f2a65a;--warn-ground:#2a2219;--bad:#f07f93";

constexpr std::string_view script = R"js(
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
)js";

}  // namespace

std::string page_css() {
    return fmt::format(
        ":root{{color-scheme:light dark;{}}}\n{}@media screen and "
        "(prefers-color-scheme:dark){{\n:root{{{}}}\n{}}}\n{}",
        light_colors, figure_css(false), dark_colors, figure_css(true), layout);
}

std::string_view page_script() {
    return script;
}

}  // namespace stembridge::io
