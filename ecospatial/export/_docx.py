"""A Word document with Chinese fonts that Word and LibreOffice show; the same input gives the same bytes."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import TYPE_CHECKING, Any

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from ecospatial.export._format import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HEADING, BODY, LATIN = "Microsoft YaHei", "SimSun", "Times New Roman"
WIDTH_MM = 166.0  # A4 with margins of 22 mm
ALARM, SOFT, ACCENT = "A4000F", "57606A", "1B4F72"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first day a zip file knows
_THEMED = ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme")


def _fonts(properties: Any, chinese: str, latin: str) -> None:
    """Name the fonts of all scripts; a theme font left in place would win over them."""
    found = properties.get_or_add_rFonts()
    for name in _THEMED:
        found.attrib.pop(qn(name), None)
    for name, font in (("w:ascii", latin), ("w:hAnsi", latin), ("w:cs", latin), ("w:eastAsia", chinese)):
        found.set(qn(name), font)


def _field(paragraph: Any, instruction: str, shown: str) -> None:
    """Put a field, such as the page number, with the text it has until it is updated."""
    for kind, text in (("begin", ""), ("", instruction), ("separate", ""), (None, shown), ("end", "")):
        run = paragraph.add_run()._r  # noqa: SLF001 - python-docx has no fields
        if kind is None:
            run.text = text
        elif kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run.append(mark)
        else:
            code = OxmlElement("w:instrText")
            code.set(qn("xml:space"), "preserve")
            code.text = text
            run.append(code)


def _shade(cell: Any, colour: str) -> None:
    shading = OxmlElement("w:shd")
    for name, value in (("w:val", "clear"), ("w:color", "auto"), ("w:fill", colour.lstrip("#"))):
        shading.set(qn(name), value)
    cell._tc.get_or_add_tcPr().append(shading)  # noqa: SLF001 - python-docx has no shading


class WordDocument:
    """A document in the making, from top to bottom; every text is cleaned."""

    def __init__(self, title: str, *, running: str, day: str) -> None:
        self.document = Document()
        self._styles()
        self._page(running)
        found = self.document.core_properties
        found.title, found.author, found.language = printable(title)[:255], "ecospatial", "zh-CN"
        found.comments, found.revision = "", 1
        found.created = found.modified = dt.datetime.fromisoformat(f"{day}T00:00:00")
        self._bookmarks = 0

    def _styles(self) -> None:
        styles = self.document.styles
        for name in ("Normal", "Title", "Subtitle", "Heading 1", "Heading 2", "Heading 3", "Caption", "List Bullet"):
            style = styles[name]
            heads = name.startswith(("Title", "Subtitle", "Heading"))
            _fonts(style.element.get_or_add_rPr(), HEADING if heads else BODY, HEADING if heads else LATIN)
            style.font.italic = False
            if heads:
                style.font.color.rgb = RGBColor.from_string(ACCENT if name != "Title" else "1F2328")
        for line in list(styles["Title"].element.iter(qn("w:pBdr"))):  # the rule under the title of Word's template
            line.getparent().remove(line)
        for found in styles.element.iter(qn("w:rPrDefault")):
            for properties in found.iter(qn("w:rPr")):
                _fonts(properties, BODY, LATIN)
                for language in properties.iter(qn("w:lang")):  # else Word checks the spelling of Chinese as English
                    language.set(qn("w:eastAsia"), "zh-CN")
        for name, size in (("Normal", 10.5), ("Title", 26), ("Subtitle", 14), ("Heading 1", 15), ("Heading 2", 13),
                           ("Heading 3", 11.5), ("Caption", 9)):  # fmt: skip
            styles[name].font.size = Pt(size)
        styles["Normal"].paragraph_format.space_after = Pt(4)
        styles["Normal"].paragraph_format.line_spacing = 1.25
        styles["Caption"].font.bold = False

    def _page(self, running: str) -> None:
        section = self.document.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.left_margin = section.right_margin = Mm(22)
        section.top_margin, section.bottom_margin = Mm(24), Mm(22)
        section.different_first_page_header_footer = True
        head, foot = section.header.paragraphs[0], section.footer.paragraphs[0]
        self._write(head, running, size=8.5, colour=SOFT)
        foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
        foot.add_run("第 ")
        _field(foot, "PAGE", "1")
        foot.add_run(" 页，共 ")
        _field(foot, "NUMPAGES", "1")
        foot.add_run(" 页")

    def _write(
        self, paragraph: Any, text: object, *, bold: bool = False, size: float | None = None, colour: str | None = None
    ) -> Any:
        run = paragraph.add_run(printable(text))
        run.bold = bold or None
        if size is not None:
            run.font.size = Pt(size)
        if colour is not None:
            run.font.color.rgb = RGBColor.from_string(colour)
        return run

    def title(self, text: object, subtitle: Sequence[object]) -> None:
        """Write the title of the cover and the lines under it."""
        found = self.document.add_paragraph(style="Title")
        found.alignment = WD_ALIGN_PARAGRAPH.CENTER
        found.paragraph_format.space_before = Mm(38)
        found.paragraph_format.space_after = Mm(8)
        found.add_run(printable(text))
        for line in subtitle:
            under = self.document.add_paragraph(style="Subtitle")
            under.alignment = WD_ALIGN_PARAGRAPH.CENTER
            under.add_run(printable(line))

    def heading(self, text: object, level: int = 1, *, new_page: bool = False) -> None:
        """Write a heading that the contents list."""
        found = self.document.add_heading(printable(text), level)
        found.paragraph_format.page_break_before = new_page
        found.paragraph_format.keep_with_next = True

    def text(self, text: object, *, style: str | None = None, **look: Any) -> None:
        """Write a paragraph; ``look``: bold, size (points), colour (RRGGBB)."""
        self._write(self.document.add_paragraph(style=style), text, **look)

    def notices(self, lines: Sequence[object]) -> None:
        """Write what must be seen: red and bold, each in a line of its own."""
        for line in lines:
            self.text(line, bold=True, colour=ALARM)

    def framed(self, text: object) -> None:
        """Write a red sentence in a frame of its own: what should stand there and does not."""
        found = self.document.add_paragraph()
        border = OxmlElement("w:pBdr")
        for side in ("top", "left", "bottom", "right"):
            line = OxmlElement(f"w:{side}")
            for name, value in (("w:val", "dashed"), ("w:sz", "6"), ("w:space", "6"), ("w:color", ALARM)):
                line.set(qn(name), value)
            border.append(line)
        found.paragraph_format.element.get_or_add_pPr().insert_element_before(
            border, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:kinsoku", "w:wordWrap", "w:overflowPunct",
            "w:topLinePunct", "w:autoSpaceDE", "w:autoSpaceDN", "w:bidi", "w:adjustRightInd", "w:snapToGrid",
            "w:spacing", "w:ind", "w:contextualSpacing", "w:mirrorIndents", "w:suppressOverlap", "w:jc",
            "w:textDirection", "w:textAlignment", "w:textboxTightWrap", "w:outlineLvl", "w:divId", "w:cnfStyle",
            "w:rPr", "w:sectPr", "w:pPrChange",
        )  # fmt: skip
        self._write(found, text, bold=True, colour=ALARM)

    def contents(self, entries: Sequence[tuple[int, str]]) -> None:
        """Write the list of headings; Word puts page numbers into it when asked to update it."""
        lines = [f"{'　' * (level - 1)}{printable(text)}" for level, text in entries]
        found = self.document.add_paragraph()
        _field(found, 'TOC \\o "1-2" \\h \\z', "\n".join(lines))

    def table(
        self,
        head: Sequence[str],
        rows: Sequence[Sequence[object]],
        widths: Sequence[float],
        *,
        fills: Sequence[str | None] = (),
        size: float = 9,
        numbers: Sequence[int] = (),
        together: bool = False,
    ) -> None:
        """Write a table whose header comes again on every page.

        Parameters
        ----------
        head
            Labels; none for a table without header.
        rows
            Cells as text.
        widths
            Shares of the width of the page.
        fills
            Colour (``#rrggbb``) of the first cell of a row, or None.
        size
            Points.
        numbers
            Columns that are set to the right.
        together
            Whether all rows stay on one page.
        """
        table = self.document.add_table(rows=0, cols=len(widths), style="Table Grid")
        table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
        widths_mm = [Mm(WIDTH_MM * share / sum(widths)) for share in widths]
        for column, width in zip(table.columns, widths_mm, strict=True):
            column.width = width
        lines = [head, *rows] if head else rows
        for place, cells in enumerate(lines):
            made = table.add_row()
            self._whole(made, header=bool(head) and place == 0)
            for column, (cell, value) in enumerate(zip(made.cells, cells, strict=True)):
                cell.width = widths_mm[column]
                paragraph = cell.paragraphs[0]
                paragraph.paragraph_format.space_after = Pt(0)
                paragraph.paragraph_format.line_spacing = 1.1
                paragraph.paragraph_format.keep_with_next = together and place < len(lines) - 1
                if column in numbers and (place or not head):
                    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
                self._write(paragraph, value, bold=bool(head) and place == 0, size=size)
                if head and place == 0:
                    _shade(cell, "#EDF1F5")
            fill = fills[place - bool(head)] if fills and (place or not head) else None
            if fill is not None:
                _shade(made.cells[0], fill)
        self.document.add_paragraph().paragraph_format.space_after = Pt(2)

    @staticmethod
    def _whole(row: Any, *, header: bool) -> None:
        """Keep a row on one page, and repeat the header."""
        properties = row._tr.get_or_add_trPr()  # noqa: SLF001 - python-docx has neither
        properties.append(OxmlElement("w:cantSplit"))
        if header:
            properties.append(OxmlElement("w:tblHeader"))

    def picture(self, content: bytes, caption: object, *, width_mm: float = WIDTH_MM) -> None:
        """Put a picture with the line under it on one page."""
        found = self.document.add_paragraph()
        found.alignment = WD_ALIGN_PARAGRAPH.CENTER
        found.paragraph_format.keep_with_next = True
        found.add_run().add_picture(io.BytesIO(content), width=Mm(width_mm))
        under = self.document.add_paragraph(style="Caption")
        under.alignment = WD_ALIGN_PARAGRAPH.CENTER
        self._write(under, caption, colour=SOFT)

    def save(self, path: Path) -> None:
        """Write the document straight to ``path``."""
        written = io.BytesIO()
        self.document.save(written)
        path.write_bytes(timeless(written.getvalue()))


def timeless(content: bytes) -> bytes:
    """Pack a zip file anew, sorted and without times, so that the same content gives the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        # Readers look for the list of types first.
        for name in sorted(old.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            new.writestr(entry, old.read(name))
    return out.getvalue()
