"""A benchmark's rows: as a table on the terminal and as `benchmarks/results/<name>.json`."""

import json
import os
import platform
import sqlite3
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Row:
    """One measure. `ratio` is its value by the one it stands against; `met` is computed from the goal, never
    typed.
    """

    measure: str
    value: float
    unit: str
    against: str | None = None
    ratio: float | None = None
    goal: str | None = None
    met: bool | None = None


@dataclass
class Report:
    name: str
    rows: list[Row] = field(default_factory=list)

    def add(self, measure: str, value: float, unit: str) -> None:
        """A plain figure, without a goal."""
        self._show(Row(measure, _rounded(value), unit))

    def add_ratio(
        self,
        measure: str,
        value: float,
        unit: str,
        *,
        against: str,
        other: float,
        at_least: float | None = None,
        ratio: float | None = None,
    ) -> None:
        """A figure beside another of the same run; with `at_least`, the goal is for their ratio.

        `ratio` is given where it was taken round by round: a machine's hiccup then falls on one round only.
        """
        if ratio is None:
            ratio = value / other if other else 0.0
        goal = None if at_least is None else f"ratio >= {at_least}"
        met = None if at_least is None else ratio >= at_least
        self._show(Row(measure, _rounded(value), unit, against, round(ratio, 3), goal, met))

    def add_at_least(self, measure: str, value: float, unit: str, *, goal: float) -> None:
        self._show(Row(measure, _rounded(value), unit, goal=f">= {goal:g}", met=value >= goal))

    def add_at_most(self, measure: str, value: float, unit: str, *, goal: float) -> None:
        self._show(Row(measure, _rounded(value), unit, goal=f"<= {goal:g}", met=value <= goal))

    def add_ratio_at_most(
        self,
        measure: str,
        value: float,
        unit: str,
        *,
        against: str,
        ratio: float,
        at_most: float | None = None,
    ) -> None:
        """A time beside another of the same run, whose ratio was taken round by round."""
        goal = None if at_most is None else f"ratio <= {at_most}"
        met = None if at_most is None else ratio <= at_most
        self._show(Row(measure, _rounded(value), unit, against, round(ratio, 3), goal, met))

    def add_exactly(self, measure: str, value: float, unit: str, *, goal: float) -> None:
        self._show(Row(measure, value, unit, goal=f"= {goal:g}", met=value == goal))

    @property
    def is_met(self) -> bool:
        return all(row.met is not False for row in self.rows)

    def write(self) -> Path:
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{self.name}.json"
        document = {"name": self.name, "machine": machine(), "rows": [asdict(row) for row in self.rows]}
        path.write_text(json.dumps(document, indent=2) + "\n")
        return path

    def _show(self, row: Row) -> None:
        self.rows.append(row)
        ratio = f"{row.ratio:.2f} of {row.against}" if row.ratio is not None else ""
        mark = {None: "", True: f"met ({row.goal})", False: f"MISSED ({row.goal})"}[row.met]
        print(f"{row.measure:<62} {row.value:>12,} {row.unit:<14} {ratio:<34} {mark}", flush=True)


def _rounded(value: float) -> float:
    return round(value) if value >= 100 else round(value, 2)


def machine() -> str:
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}"
    )
