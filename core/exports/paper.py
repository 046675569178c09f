"""The paper that reports are printed on: fonts for the names of the world, headings, tables and bars, without system
libraries. A character that no font has is printed as a question mark."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pymupdf_fonts
from django.utils.translation import get_language, gettext
from fpdf import FPDF, FontFace
from fpdf.enums import TableBordersLayout, TableCellFillMode, WrapMode
from noto_cjk_sans_jp_regular import FONT_PATH

# Latin, Greek, Cyrillic, Arabic, Hebrew, Thai, Georgian, Devanagari; then Chinese, Japanese and Korean.
FAMILY, WIDE = "FiraGO", "NotoSansCJK"
FILES = (("figo", ""), ("figbo", "B"))
MISSING = "?"
PROGRAM = "D&B Monitoring"
# It tells of every table that it cuts.
logging.getLogger("fontTools").setLevel(logging.WARNING)
SHAPING = {"GSUB", "GPOS", "GDEF", "DSIG", "kern"}
MARGIN = 18
INK, TEXT, FAINT, LINE, SOFT, BRAND = (
    (29, 43, 54),
    (61, 76, 88),
    (95, 110, 122),
    (221, 228, 234),
    (243, 246, 248),
    (19, 78, 120),
)
TONES = {
    "critical": (195, 36, 59),
    "high": (217, 115, 13),
    "medium": (36, 121, 176),
    "low": (176, 190, 201),
    "good": (31, 138, 86),
    "calm": (74, 150, 200),
}


@contextmanager
def fonts() -> Iterator[Path]:
    """The fonts as files, for as long as a document is made."""
    with TemporaryDirectory(prefix="dnbmon-fonts-") as folder:
        for name, style in FILES:
            (Path(folder) / f"{FAMILY}{style}.ttf").write_bytes(pymupdf_fonts.myfont(name))
        yield Path(folder)


class Paper(FPDF):
    """A4 with our margins, our fonts and a footer; begins with a page that has the title at its top."""

    def __init__(self, folder: Path, title: str, made_at: datetime, *, footer: str = "") -> None:
        super().__init__(format="A4")
        self.footer_text = f"{PROGRAM}  ·  {footer or title}"
        self.is_wide = False
        for _, style in FILES:
            self.add_font(FAMILY, style, folder / f"{FAMILY}{style}.ttf")
            self._lighten(f"{FAMILY.lower()}{style}")
        self.set_margins(MARGIN, MARGIN)
        self.c_margin = 0
        self.set_auto_page_break(True, MARGIN + 4)
        self.set_font(FAMILY, size=10)
        self.set_title(title)
        self.set_creator(PROGRAM)
        self.set_lang(get_language() or "en")
        self.set_creation_date(made_at)
        self.add_page()
        self._letterhead(title)

    def _letterhead(self, title: str) -> None:
        self.box(0, 0, self.w, 4, BRAND)
        self.write_line(PROGRAM, size=9, bold=True, color=BRAND)
        self.write_line(title, size=18, bold=True, color=INK)
        self.ln(1)

    def footer(self) -> None:
        self.set_y(-14)
        self.write_line(
            self.footer_text
            + "  ·  "
            + gettext("Page %(page)s of %(pages)s") % {"page": self.page_no(), "pages": "{nb}"},
            size=8,
            color=FAINT,
        )

    # Text
    def said(self, text: object) -> str:
        """What the fonts can print; those for Chinese, Japanese and Korean are fetched when they are needed."""
        words = str(text).replace("\n", " ")
        strange = {ord(character) for character in words} - self._characters(FAMILY)
        if strange and not self.is_wide:
            self.add_font(WIDE, fname=str(FONT_PATH))
            self._lighten(WIDE.lower())
            self.set_fallback_fonts([WIDE], exact_match=False)
            self.is_wide = True
        lost = strange - self._characters(WIDE) if strange else set()
        return words.translate(dict.fromkeys(lost, MISSING))

    def _lighten(self, key: str) -> None:
        """Without the tables for shaping, which we do not do, and whose cutting takes most of the time."""
        font: Any = self.fonts[key]
        for table in SHAPING & set(font.ttfont.keys()):
            del font.ttfont[table]

    def _characters(self, family: str) -> set[int]:
        font: Any = self.fonts[family.lower()]
        return set(font.cmap)

    def write_line(
        self, text: object, *, size: float = 10, bold: bool = False, color: Any = TEXT, height: float = 1.4
    ) -> None:
        """A paragraph; below it the pen is at the left again."""
        self.set_font(FAMILY, "B" if bold else "", size)
        self.set_text_color(*color)
        self.multi_cell(0, size * height * 0.3528, self.said(text), align="L", new_x="LMARGIN", new_y="NEXT")

    def heading(self, text: str, *, room: float = 30) -> None:
        """Begins a section, on a new page where there is no room left for its beginning."""
        if self.will_page_break(room):
            self.add_page()
        self.ln(6)
        self.write_line(text, size=13, bold=True, color=INK)
        self.ln(1.5)

    # Tables
    def rows(
        self,
        headings: Sequence[str],
        rows: Sequence[Sequence[object]],
        widths: Sequence[int],
        *,
        right: Sequence[int] = (),
    ) -> None:
        """A table with lines between its rows; its headings come again on each page."""
        self.set_font(FAMILY, size=9)
        self.set_text_color(*TEXT)
        self.set_draw_color(*LINE)
        self.set_fill_color(255, 255, 255)
        with self.table(
            cell_fill_mode=TableCellFillMode.NONE,
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            col_widths=tuple(widths),
            headings_style=FontFace(emphasis="", color=FAINT),
            line_height=4.4,
            padding=(1.4, 2, 1.4, 0),
            text_align=tuple("RIGHT" if number in right else "LEFT" for number in range(len(widths))),
            wrapmode=WrapMode.WORD,
        ) as table:
            for row in (headings, *rows):
                table.row(["\n".join(map(self.said, str(cell).splitlines())) for cell in row])

    # Drawings
    def tiles(self, tiles: Sequence[tuple[str, str, str]]) -> None:
        """Large numbers side by side: number, words, tone."""
        gap, height = 4, 19
        width = (self.epw - gap * (len(tiles) - 1)) / len(tiles)
        top = self.get_y()
        for number, (value, words, tone) in enumerate(tiles):
            left = self.l_margin + number * (width + gap)
            self.box(left, top, width, height, SOFT)
            self.box(left, top, 1.2, height, TONES[tone])
            self.place(left + 4, top + 3, width - 5, value, size=17, bold=True, color=INK)
            self.place(left + 4, top + 11.5, width - 5, words, size=8, color=FAINT)
        self.set_xy(self.l_margin, top + height + 2)

    def box(self, left: float, top: float, width: float, height: float, color: Any) -> None:
        self.set_fill_color(*color)
        self.rect(left, top, width, height, style="F")

    def place(
        self, left: float, top: float, width: float, text: object, *, size: float, bold: bool = False,
        color: Any = TEXT, align: str = "L",
    ) -> None:  # fmt: skip
        """One line at a place."""
        self.set_font(FAMILY, "B" if bold else "", size)
        self.set_text_color(*color)
        self.set_xy(left, top)
        self.cell(width, size * 0.45, self.said(text), align=align)

    def bar_lines(self, lines: Sequence[tuple[str, int]], left: float, width: float) -> None:
        """Labels with bars and numbers, as long as they are many."""
        highest = max((count for _, count in lines), default=0) or 1
        top = self.get_y()
        for number, (label, count) in enumerate(lines):
            line = top + number * 8.6
            self.place(left, line, width - 16, self.fitting(label, width - 16), size=9)
            self.place(left + width - 16, line, 16, f"{count:,}", size=9, bold=True, color=INK, align="R")
            self.box(left, line + 4.8, width, 1.2, SOFT)
            self.box(left, line + 4.8, max(width * count / highest, 0.6), 1.2, TONES["calm"])
        self.set_xy(self.l_margin, top + max(len(lines), 1) * 8.6)

    def fitting(self, text: object, width: float) -> str:
        """Cut where it would not fit into one line of nine points."""
        words = self.said(text)
        self.set_font(FAMILY, size=9)
        while self.get_string_width(words) > width and len(words) > 1:
            words = words.removesuffix("…")[:-1].rstrip() + "…"
        return words
