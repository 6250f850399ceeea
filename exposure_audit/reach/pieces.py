"""The port axis cut into pieces: on each the same sources pass, by the same clauses.

Pieces are ascending and disjoint, and neighbours differ in their sources.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

import msgspec

from exposure_audit.model.addresses import Intervals, intersect, normalise, subtract
from exposure_audit.model.exposure import Hop
from exposure_audit.model.traffic import ALL_PORTS


class Clause(msgspec.Struct, eq=False, gc=False):
    """One rule of one filter, its addresses resolved for one family. Compared by identity."""

    kind: str
    filter: str
    rule: str
    text: str
    allow: bool
    order: int
    protocol: int | None
    low: int
    high: int
    sources: Intervals
    unread: str = ""
    hop: Hop | None = None
    """The clause in words, once somebody asked."""


class Piece(NamedTuple):
    """These sources pass on every port from low to high, by these clauses."""

    low: int
    high: int
    sources: Intervals
    who: tuple[Clause, ...]


Pieces = tuple[Piece, ...]


def join(pieces: Iterable[Piece]) -> Pieces:
    """Join neighbours with the same sources: an exposure is a maximal range."""
    joined: list[Piece] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if last and last.high + 1 == piece.low and last.sources == piece.sources:
            who = last.who if last.who == piece.who else tuple(dict.fromkeys((*last.who, *piece.who)))
            joined[-1] = Piece(last.low, piece.high, last.sources, who)
        else:
            joined.append(piece)
    return tuple(joined)


def both(left: Pieces, right: Pieces, *, name_right: bool = True) -> Pieces:
    """What passes both; the clauses of both are named, or those of `left` only."""
    found: list[Piece] = []
    i = j = 0
    memo: dict[Intervals, tuple[Intervals, Intervals]] = {}
    while i < len(left) and j < len(right):
        mine, theirs = left[i], right[j]
        low, high = max(mine.low, theirs.low), min(mine.high, theirs.high)
        if low <= high:
            known = memo.get(mine.sources)
            if known is None or known[0] is not theirs.sources:
                same = mine.sources == theirs.sources
                known = (theirs.sources, mine.sources if same else intersect(mine.sources, theirs.sources))
                memo[mine.sources] = known
            if known[1]:
                who = (*mine.who, *theirs.who) if name_right else mine.who
                found.append(Piece(low, high, known[1], who))
        if mine.high < theirs.high:
            i += 1
        else:
            j += 1
    return join(found)


def cut(pieces: Pieces, sources: Intervals) -> Pieces:
    """The part that comes from these sources."""
    return both(pieces, (Piece(*ALL_PORTS, sources, ()),)) if sources else ()


def clip(pieces: Pieces, low: int, high: int) -> Pieces:
    """The part on these ports."""
    return tuple(
        Piece(max(piece.low, low), min(piece.high, high), piece.sources, piece.who)
        for piece in pieces
        if piece.low <= high and piece.high >= low
    )


def grown(top: Pieces, base: Pieces) -> Pieces:
    """The stretches of `top` on which it holds more than `base`, with all their sources."""
    if top == base:
        return ()
    edges = sorted({edge for piece in (*top, *base) for edge in (piece.low, piece.high + 1)})
    found: list[Piece] = []
    i = j = 0
    for low, after in pairwise(edges):
        while i < len(top) and top[i].high < low:
            i += 1
        while j < len(base) and base[j].high < low:
            j += 1
        if i == len(top):
            break
        mine = top[i]
        theirs = base[j].sources if j < len(base) and base[j].low <= low else ()
        if mine.low <= low and subtract(mine.sources, theirs):
            found.append(Piece(low, after - 1, mine.sources, mine.who))
    return join(found)


def anyone(pieces: Pieces, low: int, high: int) -> Intervals:
    """Who passes on at least one port of a range."""
    if len(pieces) == 1 and pieces[0].low <= high and pieces[0].high >= low:
        return pieces[0].sources
    return normalise(pair for piece in pieces if piece.low <= high and piece.high >= low for pair in piece.sources)
