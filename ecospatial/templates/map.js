"use strict";
(function () {
  var state = ecospatial.state, node = ecospatial.node, cell = ecospatial.cell, place = ecospatial.place;
  // From the ground up; Leaflet's own overlay pane is 400, its markers 600, tooltips 650, popups 700.
  var PANES = { ground: 401, corridor: 405, area: 410, line: 430, sites: 440, conflicts: 450, point: 460, labels: 590, badges: 610 };
  var MOST_BADGES = 300;

  // ---- shapes that draw, at each zoom, only the vertices it needs

  var byZoom = {
    _projectLatlngs: function (places, result, bounds) {
      if (places.length && !(places[0] instanceof L.LatLng)) {
        places.forEach(function (inner) { this._projectLatlngs(inner, result, bounds); }, this);
        return;
      }
      var zoom = Math.ceil(this._map.getZoom()), origin = this._map.getPixelOrigin(), ring = [], i, point;
      for (i = 0; i < places.length; i++) {
        if (places[i].level > zoom) { continue; }
        point = this._map.project(places[i])._subtract(origin);
        point.x = Math.round(point.x * 10) / 10;
        point.y = Math.round(point.y * 10) / 10;
        ring.push(point);
        bounds.extend(point);
      }
      result.push(ring);
    }
  };
  var Area = L.Polygon.extend(byZoom), Line = L.Polyline.extend(byZoom);

  function canvasPattern(hatch) {
    var tile = document.createElement("canvas"), ratio = window.devicePixelRatio > 1 ? 2 : 1;
    tile.width = tile.height = Math.max(2, Math.round(hatch.spacing * ratio));
    var pen = tile.getContext("2d");
    if (hatch.fill) {
      pen.globalAlpha = hatch.opacity;
      pen.fillStyle = hatch.fill;
      pen.fillRect(0, 0, tile.width, tile.height);
      pen.globalAlpha = 1;
    }
    pen.fillStyle = hatch.colour;
    pen.fillRect((tile.width - hatch.width * ratio) / 2, 0, hatch.width * ratio, tile.height);
    var made = pen.createPattern(tile, "repeat");
    made.setTransform(new DOMMatrix().rotate(hatch.angle).scale(1 / ratio));
    return made;
  }

  function prepare(data) {
    data.signs.forEach(function (sign) {
      if (!state.config.canvas) { return; }
      if (sign.hatch) { sign.path.fillColor = canvasPattern(sign.hatch); }
      // Of small sites only the outline would be seen: let it have the colour of the verdict.
      if (data.pane === "sites") { sign.path.color = sign.path.fillColor; sign.path.weight = 2; }
      if (data.pane === "conflicts") { sign.path.weight = 1; }
    });
  }

  function leaves(data, i, groups) {
    var sign = data.signs[cell(data.which, i)], made = [];
    var options = { pane: data.pane, bubblingMouseEvents: false, smoothFactor: 0 };
    if (state.renderer) { options.renderer = state.renderer; }
    var areas = groups.filter(function (g) { return g.kind === 2; }), lines = groups.filter(function (g) { return g.kind === 1; });
    if (areas.length) { made.push(new Area(areas.map(function (g) { return g.lines; }), L.extend({}, sign.path, options))); }
    if (lines.length) { made.push(new Line(lines.map(function (g) { return g.lines[0]; }), L.extend({}, sign.line, options))); }
    groups.forEach(function (g) {
      if (g.kind) { return; }
      if (state.renderer) {
        made.push(L.circleMarker(g.lines[0][0], L.extend({ radius: sign.spot[0], color: sign.spot[1], weight: 1.5, fillColor: sign.spot[2], fillOpacity: 1 }, options)));
        return;
      }
      var icon = L.divIcon({ className: "es-point", iconSize: [sign.size, sign.size], html: sign.icon });
      var marker = L.marker(g.lines[0][0], { pane: data.pane, icon: icon });
      marker.on("add", function () { named(marker.getElement(), title(data, i)); });
      made.push(marker);
    });
    made.forEach(function (leaf) { leaf.row = i; });
    return made;
  }

  function named(element, text) {
    element.setAttribute("role", "button");
    element.setAttribute("aria-label", text);
  }

  // ---- what is told of a feature

  function title(data, i) { return cell(data.titles, i) || data.name; }

  function name(data, i) { return data.values.length ? cell(data.values[0], i) : ""; }

  function tip(data, i) {
    var box = node("div"), head = title(data, i), own = name(data, i);
    box.appendChild(node("b", "", head));
    if (own && own !== head && !data.badges) { box.appendChild(node("div", "", own)); }
    return box;
  }

  function card(data, i) {
    var box = node("div"), table = node("table", "es-attributes");
    box.appendChild(node("div", "es-title", title(data, i)));
    data.columns.forEach(function (column, k) {
      var text = cell(data.values[k], i);
      if (!text) { return; }
      var row = table.insertRow();
      row.appendChild(node("th", "", column));
      row.appendChild(node("td", "", text));
    });
    box.appendChild(table);
    return box;
  }

  function chip(known, label) {
    var box = node("span", "es-chip"), mark = node("i", "", known.letter);
    mark.style.background = known.colour;
    box.appendChild(mark);
    box.appendChild(document.createTextNode(label));
    return box;
  }

  // The headline of a site never stands without the word of its certainty.
  function answer(data, i) {
    var known = state.config.headlines[cell(data.badges.h, i)], word = state.config.certainties[cell(data.badges.k, i)];
    return { known: known, label: word ? known.label + "·" + word : known.label };
  }

  function finding(row, rule) {
    var box = node("div", "es-finding"), verdict = state.config.verdicts[row[0]], word = state.config.certainties[row[2]];
    box.appendChild(chip(verdict, verdict.label));
    if (word) { box.appendChild(node("em", "", word)); }
    if (row[4] >= 0) { box.appendChild(node("em", "", "由" + state.config.answerers[row[4]] + "答复")); }
    box.appendChild(node("p", "", "")).appendChild(node("b", "", rule[1]));
    box.appendChild(node("p", "es-cite", rule[2] + "　" + rule[0]));
    box.appendChild(node("p", "", row[3]));
    return box;
  }

  function findings(data, i) {
    var told = data.told, verdicts = state.config.verdicts, box = node("div", "es-popup"), list = told.lists[told.of[i]];
    var counts = told.counts[told.counted[i]], head = node("p", "", "结论 "), found = answer(data, i), all = 0, words = [];
    box.appendChild(node("h3", "", title(data, i)));
    head.appendChild(chip(found.known, found.label));
    box.appendChild(head);
    for (var k = verdicts.length - 1; k > 0; k--) {
      if (counts[k]) { words.push(verdicts[k].label + " " + counts[k] + " 条"); }
      all += counts[k];
    }
    box.appendChild(node("p", "es-counts", words.join("，")));
    box.appendChild(node("p", "es-counts", "未决 " + counts[verdicts.length] + " 条，缺图层、待定 " + counts[verdicts.length + 1] + " 条（见图例）"));
    list.forEach(function (number) { box.appendChild(finding(told.rows[number], told.rules[told.rows[number][1]])); });
    if (all > list.length) { box.appendChild(node("p", "es-counts", "其余 " + (all - list.length) + " 条见报告")); }
    return box;
  }

  function open(map, data, i, at) {
    var content = data.told ? findings(data, i) : card(data, i);
    L.popup({ maxWidth: 420, minWidth: 220, maxHeight: 380 }).setLatLng(at).setContent(content).openOn(map);
  }

  function listen(map, data, group) {
    var tooltip = L.tooltip({ sticky: true });
    function at(event) { return event.propagatedFrom || event.layer; }
    group.on("click", function (event) {
      var leaf = at(event);
      map.closeTooltip(tooltip);
      open(map, data, leaf.row, leaf.getLatLng ? leaf.getLatLng() : event.latlng);
      L.DomEvent.stop(event);
    });
    group.on("keypress", function (event) {
      if (event.originalEvent.key === "Enter") { open(map, data, at(event).row, at(event).getLatLng()); }
    });
    group.on("mouseover", function (event) {
      var leaf = at(event);
      if (data.pane !== "ground" && leaf.setStyle) { leaf.setStyle({ weight: leaf.options.weight + 1.5 }); leaf.raised = true; }
      if (map.dragging.moving()) { return; }
      tooltip.setContent(tip(data, leaf.row)).setLatLng(event.latlng);
      map.openTooltip(tooltip);
    });
    group.on("mousemove", function (event) { tooltip.setLatLng(event.latlng); });
    group.on("mouseout", function (event) {
      var leaf = at(event);
      if (leaf.raised) { leaf.setStyle({ weight: leaf.options.weight - 1.5 }); leaf.raised = false; }
      map.closeTooltip(tooltip);
    });
  }

  // ---- marks and labels

  function badge(data, i, at) {
    var found = answer(data, i), box = node("div", "es-badge"), mark = node("i", "", found.known.letter);
    mark.style.background = found.known.colour;
    box.appendChild(mark);
    var text = node("span", "es-label", data.badges.t[i]);
    text.dataset.zoom = 11;
    box.appendChild(text);
    var marker = L.marker(at, { pane: "badges", icon: L.divIcon({ className: "", iconSize: [0, 0], html: box }) });
    marker.row = i;
    marker.on("add", function () { named(marker.getElement(), data.badges.t[i] + "，" + found.label); });
    return marker;
  }

  // Only the marks in view stand on the page, and none where there are too many to be told apart.
  function marks(map) {
    var view = map.getBounds().pad(0.1);
    state.layers.forEach(function (data) {
      if (!data.badges || !map.hasLayer(data.group_)) { return; }
      var seen = [];
      data.places.forEach(function (at, i) { if (view.contains(at)) { seen.push(i); } });
      if (seen.length > MOST_BADGES) { seen = []; }
      var wanted = {};
      seen.forEach(function (i) { wanted[i] = true; });
      Object.keys(data.marks).forEach(function (i) {
        if (!wanted[i]) { data.group_.removeLayer(data.marks[i]); delete data.marks[i]; }
      });
      seen.forEach(function (i) {
        if (!data.marks[i]) { data.marks[i] = badge(data, i, data.places[i]).addTo(data.group_); }
      });
    });
  }

  function label(data, item) {
    var text = node("span", data.pane === "line" ? "es-label line" : "es-label", item.t);
    text.dataset.zoom = item.z;
    return L.marker(place(item.p[0], item.p[1]), { pane: "labels", interactive: false, keyboard: false, icon: L.divIcon({ className: "", iconSize: [0, 0], html: text }) });
  }

  // A label that would lie on another is left out; sites go before places.
  function labels(map) {
    var zoom = map.getZoom(), taken = [], box = map.getContainer();
    box.querySelectorAll(".es-badge i").forEach(function (mark) { taken.push(mark.getBoundingClientRect()); });
    [".es-badge .es-label", ".es-label:not(.es-badge .es-label)"].forEach(function (kind) {
      box.querySelectorAll(kind).forEach(function (text) {
        text.hidden = zoom < Number(text.dataset.zoom) || taken.length > 900;
        if (text.hidden) { return; }
        var here = text.getBoundingClientRect();
        text.hidden = taken.some(function (there) {
          return here.left < there.right && here.right > there.left && here.top < there.bottom && here.bottom > there.top;
        });
        if (!text.hidden) { taken.push(here); }
      });
    });
  }

  // ---- the page

  function start(map, config) {
    state.config = config;
    Object.keys(PANES).forEach(function (name) { map.createPane(name).style.zIndex = PANES[name]; });
    map.getPane("labels").style.pointerEvents = "none";
    if (config.canvas) {
      map.createPane("canvas").style.zIndex = 420;
      state.renderer = L.canvas({ pane: "canvas", padding: 0.3, tolerance: 3 });
    }
  }

  function layer(map, data) {
    prepare(data);
    var group = L.featureGroup(), shapes = ecospatial.unpack(data.shapes);
    data.leaves = shapes.map(function (parts, i) {
      var made = leaves(data, i, parts);
      made.forEach(function (leaf) { group.addLayer(leaf); });
      return made;
    });
    if (data.badges) {
      data.marks = {};
      data.places = ecospatial.unpackPlaces(data.badges.c, data.shapes.n);
    }
    data.labels.forEach(function (item) { group.addLayer(label(data, item)); });
    data.group_ = group;
    group.heading = data.group;
    listen(map, data, group);
    state.layers.push(data);
    return group;
  }

  function above(a, b) { return PANES[a.pane] - PANES[b.pane]; }

  // On one canvas the order of drawing is the order of panes, whatever was switched on last.
  function stack(map, added) {
    if (!state.renderer) { return; }
    var order = state.layers.slice().sort(above), from = order.map(function (data) { return data.group_; }).indexOf(added);
    order.slice(from + 1).forEach(function (data) { if (map.hasLayer(data.group_)) { data.group_.bringToFront(); } });
  }

  var Layers = L.Control.Layers.extend({
    _update: function () {
      this._heading = null;
      return L.Control.Layers.prototype._update.call(this);
    },
    // Names are texts; what one heading tells of stands below it, and a click on it switches all of them.
    _addItem: function (item) {
      var heading = item.overlay ? item.layer.heading : undefined;
      if (heading && heading !== this._heading) {
        var button = node("button", "es-group", heading), map = this._map;
        button.type = "button";
        button.title = heading + "：全部显示或隐藏";
        button.setAttribute("aria-label", button.title);
        button.addEventListener("click", function () { toggle(map, heading); });
        this._overlaysList.appendChild(button);
        this._heading = heading;
      }
      var made = L.Control.Layers.prototype._addItem.call(this, L.extend({}, item, { name: "" }));
      made.querySelector("span span").textContent = " " + item.name;
      return made;
    }
  });

  function toggle(map, heading) {
    var own = state.layers.filter(function (data) { return data.group === heading; });
    var all = own.every(function (data) { return map.hasLayer(data.group_); });
    own.forEach(function (data) {
      if (all) { map.removeLayer(data.group_); map.fire("overlayremove", { layer: data.group_ }); }
      else if (!map.hasLayer(data.group_)) { map.addLayer(data.group_); map.fire("overlayadd", { layer: data.group_ }); }
    });
  }

  function control(map, position, element) {
    var made = L.control({ position: position });
    made.onAdd = function () {
      L.DomEvent.disableClickPropagation(element);
      L.DomEvent.disableScrollPropagation(element);
      return element;
    };
    made.addTo(map);
  }

  function basemap(map, base) {
    var group = L.layerGroup(), failed = false;
    base.urls.forEach(function (url) {
      var tiles = L.tileLayer(url, { subdomains: base.subdomains || "abc", maxNativeZoom: base.most, maxZoom: 20, pane: "tilePane" });
      tiles.on("tileerror", function () {
        if (!failed) { document.getElementById("es-credit").textContent = base.credit + "（部分图片未能取得）"; }
        failed = true;
      });
      group.addLayer(tiles);
    });
    map.getContainer().classList.add("es-based");
    return group.addTo(map);
  }

  function finish(map, bounds) {
    var legend = document.getElementById("es-legend"), narrow = window.innerWidth < 760 || window.innerHeight < 520;
    var panel = new Layers({}, {}, { collapsed: narrow });
    if (state.config.base) {
      panel.addBaseLayer(basemap(map, state.config.base), state.config.base.label);
      panel.addBaseLayer(L.layerGroup(), "无底图");
    }
    var headings = [];
    state.layers.forEach(function (data) { if (headings.indexOf(data.group) < 0) { headings.push(data.group); } });
    headings.forEach(function (heading) {
      state.layers.forEach(function (data) { if (data.group === heading) { panel.addOverlay(data.group_, data.name); } });
    });
    panel.addTo(map);
    if (narrow) { legend.open = false; }
    control(map, "bottomleft", legend);
    var north = node("div", "es-north", "北");
    north.insertAdjacentHTML("beforeend", '<svg width="26" height="34" viewBox="0 0 26 34"><path d="M13 2L22 31L13 25Z" fill="#1f2328"/><path d="M13 2L4 31L13 25Z" fill="#fff" stroke="#1f2328"/></svg>');
    L.control.scale({ imperial: false, maxWidth: 160, position: "bottomright" }).addTo(map);
    control(map, "bottomright", north);
    ecospatial.tools(map, state, control);
    map.getContainer().setAttribute("aria-label", "地图：方向键移动，加减号缩放");
    [["_zoomInButton", "放大"], ["_zoomOutButton", "缩小"]].forEach(function (pair) {
      var button = map.zoomControl && map.zoomControl[pair[0]];
      if (button) { button.title = pair[1]; button.setAttribute("aria-label", pair[1]); }
    });
    // What is drawn before the view is set would be drawn twice.
    view(map, legend, bounds);
    state.layers.slice().sort(above).forEach(function (data) { if (data.show) { data.group_.addTo(map); } });
    follow(map, legend);
  }

  function view(map, legend, bounds) {
    var open = map.getContainer().querySelector(".leaflet-control-layers-expanded");
    var left = legend.open ? legend.offsetWidth + 20 : 10, right = open ? open.offsetWidth + 20 : 10;
    if (left + right > map.getSize().x / 2) { left = right = 10; }
    var corners = bounds.map(function (corner) { return place(corner[0], corner[1]); });
    map.fitBounds(corners, { maxZoom: 16, animate: false, paddingTopLeft: [left, 30], paddingBottomRight: [right, 10] });
  }

  // The legend tells of what is switched on, and of nothing else.
  function follow(map, legend) {
    var groups = {};
    state.layers.forEach(function (data) { groups[data.key] = data.group_; });
    function shown() {
      legend.querySelectorAll("[data-layer]").forEach(function (part) { part.hidden = !map.hasLayer(groups[part.dataset.layer]); });
      legend.querySelectorAll("section").forEach(function (section) {
        section.hidden = !section.querySelector("[data-layer]:not([hidden])");
      });
      marks(map);
      labels(map);
    }
    map.on("overlayadd", function (event) { stack(map, event.layer); });
    map.on("overlayadd overlayremove", shown);
    map.on("moveend", function () { marks(map); labels(map); });
    shown();
  }

  L.extend(ecospatial, { start: start, layer: layer, finish: finish, open: open, title: title, name: name });
})();
