// SPDX-License-Identifier: Apache-2.0
// The 3-D view of the report: structures and trajectories as numbers, drawn in the browser by three.js.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "report_parts.hpp"
#include "stembridge/base/elements.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/text_file.hpp"
#include "svg.hpp"

namespace stembridge::io {
namespace {

using nlohmann::json;

// Positions of atoms in all frames together; more would make the page heavy.
constexpr std::size_t most_positions = 60000;

// x, y, z of atom 0, of atom 1, ... in hundredths of an angstrom.
json coordinates(const Eigen::Matrix3Xd& positions) {
    json numbers = json::array();
    for (const double x : positions.reshaped()) numbers.push_back(std::lround(100 * x / units::angstrom));
    return numbers;
}

// Rings other than hexagons, which are what one looks for.
json odd_rings(const Structure& structure, const std::vector<Ring>& rings) {
    json out = json::array();
    for (const Ring& ring : rings) {
        if (ring.size() == 6) continue;
        json corners = coordinates(ring_positions(ring, structure));
        out.push_back({{"size", ring.size()}, {"corners", std::move(corners)}});
    }
    return out;
}

json frame_of(const Structure& structure, const std::vector<Ring>& rings) {
    return {{"atoms", coordinates(structure.positions)}, {"rings", odd_rings(structure, rings)}};
}

class SpeciesTable {
  public:
    std::size_t index_of(int z) {
        const auto at = std::find(numbers_.begin(), numbers_.end(), z);
        if (at != numbers_.end()) return static_cast<std::size_t>(at - numbers_.begin());
        numbers_.push_back(z);
        return numbers_.size() - 1;
    }
    json table() const {
        const BondCriteria criteria;
        json rows = json::array();
        for (const int z : numbers_) {
            json limits = json::array();
            for (const int other : numbers_)
                limits.push_back(std::lround(100 * criteria.limit(z, other) / units::angstrom));
            rows.push_back({{"symbol", element_symbol(z)},
                            {"css", element_class(z)},
                            {"radius", std::lround(100 * covalent_radius(z) / units::angstrom)},
                            {"limits", limits}});
        }
        return rows;
    }

  private:
    std::vector<int> numbers_;
};

json state_of(const std::string& label, const Structure& structure, SpeciesTable& species) {
    json state = {{"label", label}, {"species", json::array()}, {"frames", json::array()}};
    for (const int z : structure.atomic_numbers) state["species"].push_back(species.index_of(z));
    return state;
}

json states_of(const ReportData& data, SpeciesTable& species) {
    json states = json::array();
    for (const ReportState& state : report_states(data)) {
        const auto run =
            std::find_if(data.dynamics.begin(), data.dynamics.end(),
                         [&](const ReportDynamics& d) { return d.last && &*d.last == state.content; });
        const Structure& structure = state.content->structure;
        json entry = state_of(state.label, structure, species);
        if (run == data.dynamics.end() || run->snapshots.size() < 2) {
            entry["frames"].push_back(frame_of(structure, state.content->analysis.rings));
        } else {
            const std::size_t most =
                std::max<std::size_t>(2, most_positions / static_cast<std::size_t>(structure.size()));
            const std::size_t stride = (run->snapshots.size() + most - 1) / most;
            for (std::size_t k = 0; k < run->snapshots.size(); k += stride) {
                Structure snapshot = structure;
                snapshot.positions = run->snapshots[k];
                entry["frames"].push_back(frame_of(snapshot, find_rings(BondGraph(snapshot))));
            }
        }
        states.push_back(std::move(entry));
    }
    for (const ReportSection& section : data.sections)
        for (const ReportFilm& film : section.films) {
            if (film.frames.empty()) continue;
            json entry = state_of(film.label, film.frames.front(), species);
            for (const Structure& frame : film.frames)
                entry["frames"].push_back(frame_of(frame, find_rings(BondGraph(frame))));
            states.push_back(std::move(entry));
        }
    return states;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    return text;
}

// The browser draws what three.js can; the page carries the library in itself.
std::string library() {
    const std::filesystem::path folder = STEMBRIDGE_THREE_JS_FOLDER;
    std::string text;
    for (const char* file : {"three.min.js", "examples/js/controls/OrbitControls.js"}) {
        std::error_code ignored;
        if (folder.empty() || !std::filesystem::exists(folder / file, ignored)) return "";
        text += read_text(folder / file) + "\n";
    }
    return replaced(text, "</", "<\\/");  // text inside a script element must not end it
}

constexpr std::string_view script = R"js(
"use strict";
// Structures in three dimensions: turn with the pointer, zoom with the wheel or two fingers.
(() => {
  const box = document.getElementById("viewer");
  const data = JSON.parse(document.getElementById("viewer-data").textContent);
  let renderer;
  try { renderer = new THREE.WebGLRenderer({antialias: true, alpha: true}); }
  catch (e) { box.querySelector(".unavailable").hidden = false; return; }
  const stage = box.querySelector(".stage");
  stage.append(renderer.domElement);
  renderer.setPixelRatio(Math.min(2, window.devicePixelRatio || 1));

  // Colours are those of the figures, in the light and in the dark theme.
  const sample = box.querySelector(".colors");
  const color = css => {
    sample.setAttribute("class", css);
    return new THREE.Color(getComputedStyle(sample).fill);
  };
  const ringClass = size => size >= 5 && size <= 8 ? `ring-${size}` : "ring-n";

  const scene = new THREE.Scene();
  const camera = new THREE.PerspectiveCamera(30, 1, 1, 5000);
  const controls = new THREE.OrbitControls(camera, renderer.domElement);
  controls.screenSpacePanning = true;
  scene.add(new THREE.AmbientLight(0xffffff, 0.55));
  const lamp = new THREE.DirectionalLight(0xffffff, 0.65);
  camera.add(lamp);
  lamp.position.set(0.4, 0.6, 1);
  scene.add(camera);

  const sign = data.y_down ? -1 : 1;
  const points = numbers => {
    const out = [];
    for (let k = 0; k < numbers.length; k += 3)
      out.push(new THREE.Vector3(numbers[k] / 100, sign * numbers[k + 1] / 100, numbers[k + 2] / 100));
    return out;
  };

  // Pairs closer than their limit, found on a grid of cells as wide as the longest bond.
  const bondsOf = (atoms, species) => {
    const limit = (i, j) => data.species[species[i]].limits[species[j]] / 100;
    const width = Math.max(...data.species.flatMap(s => s.limits)) / 100;
    const cells = new Map(), cell = p => [p.x, p.y, p.z].map(x => Math.floor(x / width));
    atoms.forEach((p, i) => { const k = cell(p).join(); (cells.get(k) || cells.set(k, []).get(k)).push(i); });
    const pairs = [];
    atoms.forEach((p, i) => {
      const [a, b, c] = cell(p);
      for (let x = a - 1; x <= a + 1; ++x) for (let y = b - 1; y <= b + 1; ++y) for (let z = c - 1; z <= c + 1; ++z)
        for (const j of cells.get([x, y, z].join()) || [])
          if (j > i && p.distanceTo(atoms[j]) < limit(i, j)) pairs.push([i, j]);
    });
    return pairs;
  };

  const ball = new THREE.SphereBufferGeometry(1, 20, 14);
  const stick = new THREE.CylinderBufferGeometry(1, 1, 1, 10, 1, true);
  // A geometry of its own for each: instances that share one would share its positions too.
  const many = (geometry, material, matrices) => {
    const mesh = new THREE.InstancedMesh(geometry.clone(), material, matrices.length);
    matrices.forEach((m, k) => mesh.setMatrixAt(k, m));
    mesh.frustumCulled = false;
    return mesh;
  };
  const up = new THREE.Vector3(0, 1, 0);
  const matrixAt = (p, r) => new THREE.Matrix4().makeScale(r, r, r).setPosition(p);
  const matrixAlong = (p, q) => {
    const d = q.clone().sub(p), length = d.length();
    return new THREE.Matrix4().compose(p.clone().add(q).multiplyScalar(0.5),
      new THREE.Quaternion().setFromUnitVectors(up, d.normalize()), new THREE.Vector3(0.11, length, 0.11));
  };

  const model = new THREE.Group();
  scene.add(model);
  let state = data.states.length - 1, frame = 0, playing = 0;
  const showRings = box.querySelector("[name=rings]");
  const draw = () => {
    while (model.children.length) {
      const old = model.children.pop();
      old.material.dispose();
      old.geometry.dispose();
    }
    const s = data.states[state], f = s.frames[frame], atoms = points(f.atoms);
    data.species.forEach((kind, k) => {
      const own = atoms.filter((p, i) => s.species[i] === k);
      if (own.length) model.add(many(ball, new THREE.MeshPhongMaterial({color: color(kind.css), shininess: 40}),
        own.map(p => matrixAt(p, 0.5 * kind.radius / 100))));
    });
    const pairs = bondsOf(atoms, s.species);
    if (pairs.length) model.add(many(stick, new THREE.MeshPhongMaterial({color: color("bond-ink"), shininess: 20}),
      pairs.map(([i, j]) => matrixAlong(atoms[i], atoms[j]))));
    if (showRings.checked) for (const ring of f.rings) {
      const corners = points(ring.corners), centre = corners.reduce((a, p) => a.add(p), new THREE.Vector3()).divideScalar(corners.length);
      const flat = [];
      corners.forEach((p, k) => { for (const v of [centre, p, corners[(k + 1) % corners.length]]) flat.push(v.x, v.y, v.z); });
      const geometry = new THREE.BufferGeometry();
      geometry.setAttribute("position", new THREE.Float32BufferAttribute(flat, 3));
      model.add(new THREE.Mesh(geometry, new THREE.MeshBasicMaterial({color: color(ringClass(ring.size)), side: THREE.DoubleSide, transparent: true, opacity: 0.75})));
    }
    renderer.render(scene, camera);
  };

  const look = tilt => {
    const atoms = points(data.states[state].frames[0].atoms), bounds = new THREE.Box3().setFromPoints(atoms);
    const centre = bounds.getCenter(new THREE.Vector3()), size = bounds.getSize(new THREE.Vector3());
    const half = Math.tan(camera.fov * Math.PI / 360), fit = Math.max(size.y, size.x / camera.aspect) / 2 + 1.5;
    const distance = fit / half + size.z / 2;
    controls.target.copy(centre);
    camera.up.set(0, 1, 0);
    camera.position.copy(centre).add(new THREE.Vector3(0, -Math.sin(tilt), Math.cos(tilt)).multiplyScalar(distance));
    camera.near = distance / 100; camera.far = distance * 10;
    camera.updateProjectionMatrix();
    controls.update();
  };
  const resize = () => {
    const w = stage.clientWidth, h = Math.round(Math.min(w * 0.72, 620));
    renderer.setSize(w, h);
    camera.aspect = w / h;
    camera.updateProjectionMatrix();
    renderer.render(scene, camera);
  };

  const choice = box.querySelector("select"), slider = box.querySelector("[name=frame]"), play = box.querySelector("[name=play]");
  data.states.forEach((s, k) => choice.add(new Option(s.label, k, k === state, k === state)));
  const pause = () => { clearInterval(playing); playing = 0; play.textContent = "play"; };
  const select = () => {
    state = +choice.value; frame = 0;
    const n = data.states[state].frames.length;
    slider.max = n - 1; slider.value = 0;
    box.querySelector(".film").hidden = n < 2;
    pause();
    draw();
  };
  choice.addEventListener("change", select);
  slider.addEventListener("input", () => { frame = +slider.value; draw(); });
  play.addEventListener("click", () => {
    if (playing) return pause();
    play.textContent = "pause";
    playing = setInterval(() => { frame = (frame + 1) % data.states[state].frames.length; slider.value = frame; draw(); }, 120);
  });
  showRings.addEventListener("change", draw);
  for (const button of box.querySelectorAll("[data-tilt]"))
    button.addEventListener("click", () => { look(+button.dataset.tilt * Math.PI / 180); renderer.render(scene, camera); });
  controls.addEventListener("change", () => renderer.render(scene, camera));
  window.addEventListener("resize", resize);
  matchMedia("(prefers-color-scheme: dark)").addListener(draw);
  box.classList.add("ready");
  resize();
  look(35 * Math.PI / 180);
  select();
})();
)js";

}  // namespace

std::string viewer_section(const ReportData& data) {
    SpeciesTable species;
    const json states = states_of(data, species);
    if (states.empty()) return "";
    const std::string three = library();
    if (three.empty()) return "";
    const json content = {{"states", states}, {"species", species.table()}, {"y_down", data.y_down}};
    return fmt::format(
        R"(<section id="view"><h2>In three dimensions</h2>
<div id="viewer"><div class="toggles"><label>structure <select></select></label><label><input type="checkbox" name="rings" checked="checked"/>rings</label><span class="film" hidden="hidden"><button type="button" name="play">play</button><input type="range" name="frame" min="0" value="0" aria-label="instant"/></span><span class="tools"><button type="button" data-tilt="0">from above</button><button type="button" data-tilt="35">aslant</button><button type="button" data-tilt="85">from the side</button></span></div>
<svg class="sbf" width="0" height="0" aria-hidden="true"><rect class="colors" width="0" height="0"/></svg>
<figure><div class="stage"></div><figcaption>Turn with the pointer or a finger, move with the right button, zoom with the wheel or two fingers. Rings that are no hexagons are filled.</figcaption></figure><p class="unavailable" hidden="hidden">This browser has no WebGL; the figures below show the same structures.</p></div>
<script type="application/json" id="viewer-data">{}</script><script id="viewer-library">{}</script><script id="viewer-script">{}</script></section>
)",
        replaced(content.dump(-1, ' ', false, json::error_handler_t::replace), "<", "\\u003c"), three,
        script);
}

}  // namespace stembridge::io
