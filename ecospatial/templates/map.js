"use strict";
var ecospatial = (function () {
  // From the ground up; Leaflet's own overlay pane is 400, its markers 600, tooltips 650, popups 700.
  var PANES = { ground: 401, area: 410, corridor: 405, line: 430, sites: 440, conflicts: 450, point: 460, labels: 590, badges: 610 };

  // Texts enter the page as text nodes only.
  function node(tag, name, text) {
    var made = document.createElement(tag);
    if (name) { made.className = name; }
    if (text !== undefined) { made.textContent = text; }
    return made;
  }

  function attributes(columns, values) {
    var table = node("table", "es-attributes");
    columns.forEach(function (column, i) {
      if (!values[i]) { return; }
      var row = table.insertRow();
      row.appendChild(node("th", "", column));
      row.appendChild(node("td", "", values[i]));
    });
    return table;
  }

  function card(data, feature) {
    var box = node("div");
    box.appendChild(node("div", "es-title", feature.properties.n || ""));
    box.appendChild(attributes(data.columns, feature.properties.v));
    return box;
  }

  function tip(data, feature) {
    var box = node("div");
    box.appendChild(node("b", "", feature.properties.n || ""));
    if (feature.properties.v[0] && feature.properties.v[0] !== feature.properties.n && !feature.properties.b) {
      box.appendChild(node("div", "", feature.properties.v[0]));
    }
    return box;
  }

  function bind(layer, data, feature) {
    layer.bindTooltip(function () { return tip(data, feature); }, { sticky: true });
    layer.bindPopup(function () { return feature.properties.h || card(data, feature); }, { maxWidth: 420, minWidth: 220, maxHeight: 380 });
  }

  function badge(map, data, feature) {
    var b = feature.properties.b, box = node("div", "es-badge"), big = node("i", "", b.l);
    big.style.background = b.c;
    box.appendChild(big);
    if (b.l2) {
      var small = node("u", "", b.l2);
      small.style.background = b.c2;
      box.appendChild(small);
    }
    var label = node("span", "es-label", b.t);
    label.dataset.zoom = 11;
    box.appendChild(label);
    var marker = L.marker(b.p, { pane: "badges", icon: L.divIcon({ className: "", iconSize: [0, 0], html: box }) });
    bind(marker, data, feature);
    return marker;
  }

  function label(data, item) {
    var text = node("span", data.pane === "line" ? "es-label line" : "es-label", item.t);
    text.dataset.zoom = item.z;
    return L.marker(item.p, { pane: "labels", interactive: false, keyboard: false, icon: L.divIcon({ className: "", iconSize: [0, 0], html: text }) });
  }

  function layer(map, data, features) {
    Object.keys(PANES).forEach(function (name) {
      if (!map.getPane(name)) { map.createPane(name).style.zIndex = PANES[name]; }
    });
    map.getPane("labels").style.pointerEvents = "none";
    var group = L.featureGroup(), badges = [];
    var shapes = L.geoJson({ type: "FeatureCollection", features: features }, {
      pane: data.pane,
      bubblingMouseEvents: false,
      style: function (feature) {
        var sign = data.signs[feature.properties.s];
        return /LineString$/.test(feature.geometry.type) ? sign.line : sign.path;
      },
      pointToLayer: function (feature, place) {
        var sign = data.signs[feature.properties.s];
        var icon = L.divIcon({ className: "es-point", iconSize: [sign.size, sign.size], html: sign.icon });
        return L.marker(place, { pane: data.pane, icon: icon });
      },
      onEachFeature: function (feature, shape) {
        bind(shape, data, feature);
        if (feature.properties.b) { badges.push(badge(map, data, feature)); }
        if (data.pane === "ground" || !shape.setStyle) { return; }
        shape.on("mouseover", function () { shape.setStyle({ weight: shape.options.weight + 1.5 }); });
        shape.on("mouseout", function () { shapes.resetStyle(shape); });
      }
    });
    group.addLayer(shapes);
    badges.forEach(function (marker) { group.addLayer(marker); });
    data.labels.forEach(function (item) { group.addLayer(label(data, item)); });
    return group;
  }

  // A label that would lie on another is left out; sites go before places.
  function labels(map) {
    var zoom = map.getZoom(), taken = [], box = map.getContainer();
    box.querySelectorAll(".es-badge i").forEach(function (badge) { taken.push(badge.getBoundingClientRect()); });
    [".es-badge .es-label", ".es-label:not(.es-badge .es-label)"].forEach(function (kind) {
      box.querySelectorAll(kind).forEach(function (text) {
        text.hidden = zoom < Number(text.dataset.zoom) || taken.length > 600;
        if (text.hidden) { return; }
        var here = text.getBoundingClientRect();
        text.hidden = taken.some(function (there) {
          return here.left < there.right && here.right > there.left && here.top < there.bottom && here.bottom > there.top;
        });
        if (!text.hidden) { taken.push(here); }
      });
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

  function finish(map, layers, bounds) {
    var legend = document.getElementById("es-legend");
    if (window.innerWidth < 760 || window.innerHeight < 520) { legend.open = false; }
    control(map, "bottomleft", legend);
    var north = node("div", "es-north", "北");
    north.insertAdjacentHTML("beforeend", '<svg width="26" height="34" viewBox="0 0 26 34"><path d="M13 2L22 31L13 25Z" fill="#1f2328"/><path d="M13 2L4 31L13 25Z" fill="#fff" stroke="#1f2328"/></svg>');
    L.control.scale({ imperial: false, maxWidth: 160, position: "bottomright" }).addTo(map);
    control(map, "bottomright", north);
    var panel = map.getContainer().querySelector(".leaflet-control-layers-expanded");
    var left = legend.open ? legend.offsetWidth + 20 : 10, right = panel ? panel.offsetWidth + 20 : 10;
    if (left + right > map.getSize().x / 2) { left = right = 10; }
    map.fitBounds(bounds, { maxZoom: 16, animate: false, paddingTopLeft: [left, 30], paddingBottomRight: [right, 10] });

    // The legend tells of what is switched on, and of nothing else.
    function follow() {
      legend.querySelectorAll("[data-layer]").forEach(function (part) {
        part.hidden = !map.hasLayer(layers[part.dataset.layer]);
      });
      legend.querySelectorAll("section").forEach(function (section) {
        section.hidden = !section.querySelector("[data-layer]:not([hidden])");
      });
      labels(map);
    }
    map.on("overlayadd overlayremove", follow);
    map.on("zoomend", function () { labels(map); });
    follow();
  }

  return { layer: layer, finish: finish };
})();
