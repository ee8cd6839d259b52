"""The picture of a yes-or-no tree, with the path that was taken lit. The words stand beside it, in a list."""

from dataclasses import dataclass

from markupsafe import Markup

from icbt_support.journal.rules import TreePath
from icbt_support.programme.content import Answer, Node, Tool

_COLUMN, _ROW, _RADIUS, _MARGIN = 84, 74, 15, 26
_LIT = Markup('stroke="currentColor" stroke-width="4" stroke-linecap="round"')
_UNLIT = Markup('stroke="currentColor" stroke-width="1.5" stroke-dasharray="4 4" opacity="0.55"')


@dataclass(frozen=True)
class _Spot:
    """Where a part of the tree stands: its middle, in the picture's own units."""

    key: str
    x: float
    y: float
    is_end: bool
    yes: str = ""
    no: str = ""


def draw_tree(tool: Tool, path: TreePath) -> Markup:
    """Circles are questions, squares are ends; a lit branch is thick, one not taken is dashed."""
    spots: dict[str, _Spot] = {}
    columns = _place(tool, tool.start or "", 0, 0, spots)
    width = 2 * _MARGIN + _COLUMN * max(columns - 1, 0)
    height = 2 * _MARGIN + max(spot.y for spot in spots.values()) - _MARGIN
    lit = path.keys
    branches = [
        _branch(spot, spots[child], answer, child in lit and path.answer_to(spot.key) is answer)
        for spot in spots.values()
        for answer, child in ((Answer.YES, spot.yes), (Answer.NO, spot.no))
        if child
    ]
    parts = [_part(spot, spot.key in lit) for spot in spots.values()]
    return Markup(
        '<svg class="tree-picture" width="{}" height="{}" viewBox="0 0 {} {}" aria-hidden="true" '
        'focusable="false">{}{}</svg>'
    ).format(width, height, width, height, Markup("").join(branches), Markup("").join(parts))


def _place(tool: Tool, key: str, depth: int, column: int, spots: dict[str, _Spot]) -> int:
    """Places a part and all below it, its ends side by side from `column` on; gives the next free column."""
    node = tool.node(key)
    y = _MARGIN + depth * _ROW
    if node is None:
        spots[key] = _Spot(key, _MARGIN + column * _COLUMN, y, is_end=True)
        return column + 1
    after_yes = _place(tool, node.yes, depth + 1, column, spots)
    after_no = _place(tool, node.no, depth + 1, after_yes, spots)
    spots[key] = _spot_of(node, (spots[node.yes].x + spots[node.no].x) / 2, y)
    return after_no


def _spot_of(node: Node, x: float, y: float) -> _Spot:
    return _Spot(node.key, x, y, is_end=False, yes=node.yes, no=node.no)


def _branch(parent: _Spot, child: _Spot, answer: Answer, is_lit: bool) -> Markup:
    look = _LIT if is_lit else _UNLIT
    side = -10 if child.x < parent.x else 10
    anchor = "end" if side < 0 else "start"
    weight = "700" if is_lit else "400"
    return Markup(
        '<line x1="{:.0f}" y1="{:.0f}" x2="{:.0f}" y2="{:.0f}" {}/>'
        '<text x="{:.0f}" y="{:.0f}" text-anchor="{}" font-size="15" font-weight="{}" fill="currentColor">'
        "{}</text>"
    ).format(
        parent.x,
        parent.y + _RADIUS,
        child.x,
        child.y - _RADIUS,
        look,
        (parent.x + child.x) / 2 + side,
        (parent.y + child.y) / 2,
        anchor,
        weight,
        answer.value.capitalize(),
    )


def _part(spot: _Spot, is_lit: bool) -> Markup:
    fill = "currentColor" if is_lit else "none"
    look = _LIT if is_lit else _UNLIT
    if spot.is_end:
        return Markup('<rect x="{:.0f}" y="{:.0f}" width="{}" height="{}" rx="5" fill="{}" {}/>').format(
            spot.x - _RADIUS, spot.y - _RADIUS, 2 * _RADIUS, 2 * _RADIUS, fill, look
        )
    return Markup('<circle cx="{:.0f}" cy="{:.0f}" r="{}" fill="{}" {}/>').format(
        spot.x, spot.y, _RADIUS, fill, look
    )
