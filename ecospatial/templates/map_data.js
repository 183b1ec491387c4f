"use strict";
// What Python wrote: numbers five bits to a character, columns with every text once; read as coded.py writes it.
var ecospatial = (function () {
  var ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  var state = { config: {}, layers: [] };

  // Texts enter the page as text nodes only.
  function node(tag, name, text) {
    var made = document.createElement(tag);
    if (name) { made.className = name; }
    if (text !== undefined) { made.textContent = text; }
    return made;
  }

  var DIGITS = {};
  ALPHABET.split("").forEach(function (letter, value) { DIGITS[letter.charCodeAt(0)] = value; });

  function reader(text) {
    var at = 0;
    return {
      more: function () { return at < text.length; },
      next: function () {
        var value = 0, shift = 1, digit;
        do {
          digit = DIGITS[text.charCodeAt(at++)];
          value += (digit & 31) * shift;
          shift *= 32;
        } while (digit > 31);
        return value;
      }
    };
  }

  function signed(value) { return value % 2 ? -(value + 1) / 2 : value / 2; }

  function cell(column, i) {
    if (Array.isArray(column)) { return column[i]; }
    return column !== null && typeof column === "object" ? column.u[column.i[i]] : column;
  }

  // GCJ-02 as its published approximations have it (crs/shifted.py); on a base map in it the drawing is shifted alike.
  function shifted(lat, lon) {
    var A = 6378245, EE = 0.00669342162296594323, P = Math.PI, sin = Math.sin, u = lon - 105, v = lat - 35;
    var common = (20 * sin(6 * u * P) + 20 * sin(2 * u * P)) * 2 / 3, root = Math.sqrt(Math.abs(u));
    var north = -100 + 2 * u + 3 * v + 0.2 * v * v + 0.1 * u * v + 0.2 * root + common;
    north += (20 * sin(v * P) + 40 * sin(v / 3 * P) + 160 * sin(v / 12 * P) + 320 * sin(v * P / 30)) * 2 / 3;
    var east = 300 + u + 2 * v + 0.1 * u * u + 0.1 * u * v + 0.1 * root + common;
    east += (20 * sin(u * P) + 40 * sin(u / 3 * P) + 150 * sin(u / 12 * P) + 300 * sin(u / 30 * P)) * 2 / 3;
    var phi = lat * P / 180, s = 1 - EE * sin(phi) * sin(phi);
    return [
      lat + north * 180 / (A * (1 - EE) / Math.pow(s, 1.5) * P),
      lon + east * 180 / (A / Math.sqrt(s) * Math.cos(phi) * P)
    ];
  }

  function place(lat, lon) {
    return state.config.gcj02 ? L.latLng(shifted(lat, lon)) : L.latLng(lat, lon);
  }

  // From the map back to CGCS2000.
  function unplace(at) {
    if (!state.config.gcj02) { return at; }
    var lat = at.lat, lon = at.lng, round, there;
    for (round = 0; round < 8; round++) {
      there = shifted(lat, lon);
      lat += at.lat - there[0];
      lon += at.lng - there[1];
    }
    return L.latLng(lat, lon);
  }

  function unpack(shapes) {
    var head = reader(shapes.p), body = reader(shapes.c), scale = Math.pow(10, -shapes.e), found = [], at = 0, x = 0, y = 0;
    for (var i = 0; i < shapes.n; i++) { found.push([]); }
    while (head.more()) {
      at += head.next();
      var code = head.next(), count = head.next(), line = new Array(count);
      for (i = 0; i < count; i++) {
        x += signed(body.next());
        y += signed(body.next());
        line[i] = place(y * scale, x * scale);
        line[i].level = shapes.z - body.next();
      }
      if (code % 2) { found[at].push({ kind: code >> 1, lines: [line] }); } else { found[at][found[at].length - 1].lines.push(line); }
    }
    return found;
  }

  function unpackPlaces(text, count) {
    var from = reader(text), x = 0, y = 0, found = [];
    for (var i = 0; i < count; i++) {
      x += signed(from.next());
      y += signed(from.next());
      found.push(place(y / 1e7, x / 1e7));
    }
    return found;
  }

  return { state: state, node: node, cell: cell, place: place, unplace: unplace, shifted: shifted, unpack: unpack, unpackPlaces: unpackPlaces };
})();
