"""`python -m benchmarks all` or `python -m benchmarks supporter`: runs, prints, writes the results."""

import sys

from benchmarks import delivery, engagement, serving, supporter
from benchmarks.report import Report

BENCHMARKS = {
    "delivery": delivery.measure,
    "engagement": engagement.measure,
    "serving": serving.measure,
    "supporter": supporter.measure,
}


def main() -> int:
    wanted = sys.argv[1] if len(sys.argv) > 1 else "all"
    if wanted != "all" and wanted not in BENCHMARKS:
        print(f"NAME is '{wanted}': it can be all, {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    is_met = True
    for name, measure in BENCHMARKS.items():
        if wanted not in ("all", name):
            continue
        report = Report(name)
        measure(report)
        print(f"written to {report.write()}")
        is_met = is_met and report.is_met
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
