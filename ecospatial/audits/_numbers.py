"""Published figures and measures as text."""

from __future__ import annotations

from ecospatial.model.plain_values import plain


def number(value: object, unit: str = "") -> str:
    """Write a figure with as many digits as mean something, and its unit; unknown is empty.

    Examples
    --------
    >>> number(85.9876, "km2"), number(219.0, "个"), number(300000.0), number(None), number(0.000926)
    ('85.9876 km²', '219 个', '300,000', '', '0.000926')
    """
    found = plain(value)
    if found is None:
        return ""
    size = abs(found)
    decimals = 0 if found == round(found) else 4 if size >= 0.1 else 6
    written = f"{found:,.{decimals}f}"
    if decimals:
        written = written.rstrip("0").rstrip(".")
    return f"{written} {unit_text(unit)}".strip()


def unit_text(unit: str) -> str:
    """Write a unit as it is printed; the unit of a plain ratio is none.

    Examples
    --------
    >>> unit_text("km2"), unit_text("万m3/d"), unit_text("m2/人"), unit_text("1")
    ('km²', '万 m³/d', 'm²/人', '')
    """
    shown = "" if unit == "1" else unit.replace("m2", "m²").replace("m3", "m³")
    return f"万 {shown[1:]}" if shown.startswith("万m") else shown
