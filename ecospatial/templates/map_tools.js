"use strict";
(function () {
  var node = ecospatial.node;

  // ---- Gauss-Krüger on the ellipsoid of CGCS2000 (series of Krüger in n, to the fourth power: below a millimetre)

  var A = 6378137, F = 1 / 298.257222101, N = F / (2 - F);
  var RADIUS = A / (1 + N) * (1 + N * N / 4 + Math.pow(N, 4) / 64);
  var SERIES = [
    N / 2 - 2 * N * N / 3 + 5 * Math.pow(N, 3) / 16 + 41 * Math.pow(N, 4) / 180,
    13 * N * N / 48 - 3 * Math.pow(N, 3) / 5 + 557 * Math.pow(N, 4) / 1440,
    61 * Math.pow(N, 3) / 240 - 103 * Math.pow(N, 4) / 140,
    49561 * Math.pow(N, 4) / 161280
  ];

  // East and north in metres of the grid of the plan.
  function project(lon, lat) {
    var grid = ecospatial.state.config.grid, phi = lat * Math.PI / 180, lambda = (lon - grid.meridian) * Math.PI / 180;
    var k = 2 * Math.sqrt(N) / (1 + N), t = Math.sinh(Math.atanh(Math.sin(phi)) - k * Math.atanh(k * Math.sin(phi)));
    var xi = Math.atan2(t, Math.cos(lambda)), eta = Math.atanh(Math.sin(lambda) / Math.sqrt(1 + t * t)), x = eta, y = xi;
    SERIES.forEach(function (a, i) {
      x += a * Math.cos(2 * (i + 1) * xi) * Math.sinh(2 * (i + 1) * eta);
      y += a * Math.sin(2 * (i + 1) * xi) * Math.cosh(2 * (i + 1) * eta);
    });
    return [grid.east + RADIUS * x, RADIUS * y];
  }

  function onGrid(at) {
    var real = ecospatial.unplace(at);
    return project(real.lng, real.lat);
  }

  function pointer(map, control) {
    var box = node("div", "es-place");
    box.setAttribute("role", "status");
    function tell(at, word) {
      var real = ecospatial.unplace(at), metres = project(real.lng, real.lat);
      box.textContent = word + "东经 " + real.lng.toFixed(6) + "°　北纬 " + real.lat.toFixed(6) + "°　北 X " + metres[1].toFixed(2) + "　东 Y " + metres[0].toFixed(2) + " m";
    }
    box.title = ecospatial.state.config.grid.label;
    map.on("mousemove", function (event) { tell(event.latlng, ""); });
    map.on("moveend", function () { tell(map.getCenter(), "图中心　"); });
    control(map, "bottomright", box);
  }

  // ---- measuring

  function size(metres) { return metres < 10000 ? metres.toFixed(1) + " m" : (metres / 1000).toFixed(3) + " km"; }

  function surface(m2) { return m2.toFixed(1) + " m²（" + (m2 / 10000).toFixed(4) + " 公顷，" + (m2 * 3 / 2000).toFixed(2) + " 亩）"; }

  function sums(places) {
    var grid = places.map(onGrid), length = 0, twice = 0;
    grid.forEach(function (here, i) {
      var before = grid[(i || grid.length) - 1];
      if (i) { length += Math.hypot(here[0] - before[0], here[1] - before[1]); }
      twice += before[0] * here[1] - here[0] * before[1];
    });
    return { length: length, area: Math.abs(twice) / 2 };
  }

  function measure(map, control) {
    var box = node("div", "es-measure leaflet-bar"), button = node("button", "es-button", "量"), told = node("div", "es-measured");
    var shield = node("div", "es-shield"), places = [], drawn = null, from = null;
    button.type = "button";
    button.title = "量距离和面积：在图上点击，双击结束";
    button.setAttribute("aria-label", button.title);
    button.setAttribute("aria-pressed", "false");
    told.setAttribute("role", "status");
    told.hidden = true;
    box.appendChild(button);
    box.appendChild(told);
    control(map, "topleft", box);
    map.getContainer().appendChild(shield);
    shield.hidden = true;

    function tell() {
      var found = sums(places), text = places.length < 2 ? "在图上点击；双击或按 Esc 结束，按回车以图中心为点" : "长度 " + size(found.length);
      if (places.length > 2) { text += "；首尾相连的面积 " + surface(found.area); }
      told.textContent = text;
      if (drawn) { drawn.remove(); }
      drawn = L.layerGroup(places.map(function (at) {
        return L.circleMarker(at, { radius: 4, color: "#111", weight: 1.5, fillColor: "#fff", fillOpacity: 1, interactive: false, pane: "badges" });
      }));
      drawn.addLayer(L.polygon(places, { color: "#111", weight: 2.5, dashArray: "6 4", fillColor: "#111", fillOpacity: places.length > 2 ? 0.08 : 0, interactive: false, pane: "badges" }));
      drawn.addTo(map);
    }

    function running(on) {
      shield.hidden = !on;
      button.setAttribute("aria-pressed", String(on));
      map.doubleClickZoom[on ? "disable" : "enable"]();
    }

    function add(at) { places.push(at); tell(); }

    button.addEventListener("click", function () {
      var on = shield.hidden;
      if (drawn) { drawn.remove(); }
      places = [];
      drawn = null;
      running(on);
      told.hidden = !on;
      map.closePopup();
      if (on) { tell(); map.getContainer().focus(); }
    });
    shield.addEventListener("mousedown", function (event) { from = [event.clientX, event.clientY]; });
    shield.addEventListener("click", function (event) {
      event.stopPropagation();
      var moved = from && Math.hypot(event.clientX - from[0], event.clientY - from[1]) > 4;
      if (!moved && event.detail < 2) { add(map.mouseEventToLatLng(event)); }
    });
    shield.addEventListener("dblclick", function (event) { event.stopPropagation(); running(false); });
    map.getContainer().addEventListener("keydown", function (event) {
      if (shield.hidden) { return; }
      if (event.key === "Escape") { running(false); }
      if (event.key === "Enter" && event.target === map.getContainer()) { add(map.getCenter()); }
    });
  }

  // ---- finding a feature by its name

  function words(data, i) {
    var found = [data.badges ? data.badges.t[i] : ecospatial.title(data, i)];
    data.values.slice(0, 2).forEach(function (column) { found.push(ecospatial.cell(column, i)); });
    return found.filter(function (text, k) { return text && found.indexOf(text) === k; });
  }

  function hits(text) {
    var found = [], wanted = text.trim().toLowerCase();
    if (!wanted) { return found; }
    ecospatial.state.layers.slice().reverse().forEach(function (data) {
      for (var i = 0; i < data.shapes.n && found.length < 12; i++) {
        var own = words(data, i);
        if (own.join("\n").toLowerCase().indexOf(wanted) >= 0) { found.push({ data: data, row: i, words: own }); }
      }
    });
    return found;
  }

  function go(map, hit) {
    var leaf = hit.data.leaves[hit.row][0], at;
    if (!leaf) { return; }
    if (!map.hasLayer(hit.data.group_)) { map.addLayer(hit.data.group_); map.fire("overlayadd", { layer: hit.data.group_ }); }
    if (leaf.getBounds) {
      map.fitBounds(leaf.getBounds(), { maxZoom: Math.max(16, map.getZoom()), animate: false, padding: [60, 60] });
      at = hit.data.places ? hit.data.places[hit.row] : leaf.getBounds().getCenter();
    } else {
      at = leaf.getLatLng();
      map.setView(at, Math.max(16, map.getZoom()), { animate: false });
    }
    ecospatial.open(map, hit.data, hit.row, at);
  }

  function search(map, control) {
    var box = node("div", "es-search leaflet-bar"), input = node("input"), list = node("ul");
    input.type = "search";
    input.placeholder = "按名称查找";
    input.setAttribute("aria-label", "按名称查找图上的要素");
    input.autocomplete = "off";
    list.hidden = true;
    box.appendChild(input);
    box.appendChild(list);
    control(map, "topleft", box);

    function choose(hit) { list.hidden = true; go(map, hit); }

    function tell() {
      var found = hits(input.value);
      list.textContent = "";
      found.forEach(function (hit) {
        var item = node("li"), button = node("button", "", hit.words[0]);
        button.type = "button";
        button.appendChild(node("small", "", hit.words.slice(1, 2).concat(hit.data.name).filter(function (text) { return text !== hit.words[0]; }).join("　")));
        button.addEventListener("click", function () { choose(hit); });
        item.appendChild(button);
        list.appendChild(item);
      });
      if (!found.length && input.value.trim()) { list.appendChild(node("li", "es-none", "图上没有这个名称")); }
      list.hidden = !input.value.trim();
      return found;
    }

    input.addEventListener("input", tell);
    box.addEventListener("keydown", function (event) {
      var buttons = [input].concat(Array.prototype.slice.call(list.querySelectorAll("button"))), at = buttons.indexOf(document.activeElement);
      if (event.key === "Escape") { list.hidden = true; input.focus(); }
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        at = Math.min(buttons.length - 1, Math.max(0, at + (event.key === "ArrowDown" ? 1 : -1)));
        buttons[at].focus();
        event.preventDefault();
      }
      if (event.key === "Enter" && event.target === input) { tell().slice(0, 1).forEach(choose); }
      event.stopPropagation();
    });
  }

  ecospatial.project = project;
  ecospatial.hits = hits;
  ecospatial.tools = function (map, state, control) {
    search(map, control);
    measure(map, control);
    pointer(map, control);
  };
})();
