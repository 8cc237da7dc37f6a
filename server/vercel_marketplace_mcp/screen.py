"""Headings, paragraphs and tables on a text stream, for the commands. It knows no tool and asks for no input."""

import io
import os
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TextIO

_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_PIPE_WIDTH = 100
_NARROWEST_SCREEN, _NARROWEST_COLUMN = 40, 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Screen:
    """Lines of a bounded width; bold and dim only where a person watches a terminal that may show them."""

    out: TextIO
    width: int
    styled: bool

    @classmethod
    def on(cls, out: TextIO) -> "Screen":
        """Return the screen for a stream: as wide as its terminal, or 100 columns where there is none."""
        if isinstance(out, io.TextIOWrapper):
            out.reconfigure(errors="backslashreplace")  # a partner's words may hold what the encoding has not
        watched = out.isatty()
        width = shutil.get_terminal_size((_PIPE_WIDTH, 0)).columns if watched else _PIPE_WIDTH
        styled = watched and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return cls(out=out, width=max(width, _NARROWEST_SCREEN), styled=styled)

    def heading(self, text: str) -> None:
        """Write a heading, set off by an empty line."""
        self._write("")
        self._paragraph(text, _BOLD)

    def text(self, text: str) -> None:
        """Write a paragraph."""
        self._paragraph(text)

    def aside(self, text: str) -> None:
        """Write a paragraph that matters less, its further lines set in."""
        self._paragraph(text, _DIM, "  ")

    def table(self, rows: Sequence[Sequence[str]], headings: Sequence[str] = ()) -> None:
        """Write rows in columns. The widest columns give way, and their cells are wrapped, until a row fits."""
        lines = [headings, *rows] if headings else rows
        widths = _fit([max(map(len, column)) for column in zip(*lines, strict=True)], self.width)
        for line in lines:
            style = _BOLD if line is headings else ""
            cells = [_wrap(cell, width) for cell, width in zip(line, widths, strict=True)]
            for parts in zip_longest(*cells, fillvalue=""):
                row = "  ".join(f"{part:{width}}" for part, width in zip(parts, widths, strict=True))
                self._write(f"  {row}".rstrip(), style)

    def _paragraph(self, text: str, style: str = "", indent: str = "") -> None:
        for line in _wrap(text, self.width, indent):
            self._write(line, style)

    def _write(self, line: str, style: str = "") -> None:
        try:
            self.out.write(f"{style}{line}{_PLAIN}\n" if self.styled and style else f"{line}\n")
            self.out.flush()
        except BrokenPipeError:  # nobody reads any more; the command goes on for the sake of its exit code
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.out.fileno())


def _fit(widths: list[int], available: int) -> list[int]:
    """Return the widths of columns, narrowed until they fit with two spaces before each."""
    while sum(widths) + 2 * len(widths) > available and max(widths) > _NARROWEST_COLUMN:
        widths[widths.index(max(widths))] -= 1
    return widths


def _wrap(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False)
