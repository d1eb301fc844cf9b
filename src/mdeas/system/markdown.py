"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def aligned_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of numbers: the first column to the left, all others to the right.

    Example:
        >>> print(aligned_table(["", "ms"], [["twin-s", 1.9]]))
        | | ms |
        |---|---:|
        | twin-s | 1.9 |
    """
    return "\n".join(
        [_line(header, ""), f"|---|{'---:|' * (len(header) - 1)}", *(_line(r, "") for r in rows)]
    )


def plain_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table whose columns are not aligned.

    Example:
        >>> print(plain_table(["licence", "photos"], [["MIT", 3]]))
        | licence | photos |
        | --- | --- |
        | MIT | 3 |
    """
    return "\n".join(_line(row, " ") for row in (header, ["---"] * len(header), *rows))


def _line(cells: Sequence[object], empty: str) -> str:
    return "".join(f"| {cell} " if cell != "" else f"| {empty}" for cell in cells) + "|"
