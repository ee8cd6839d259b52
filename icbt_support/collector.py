"""Python's garbage collector, in a process that serves or delivers for days."""

import gc


def collect_seldom() -> None:
    """What was built at the start lives as long as the process, and pages and mails make few cycles: a full
    collection would hold everybody up for a fifth of a second to find nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
