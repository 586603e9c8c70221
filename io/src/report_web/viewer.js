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
