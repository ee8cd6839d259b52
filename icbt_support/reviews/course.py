"""What a letter changes in the course from here on: its pace and the order of its modules. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from icbt_support.programme.content import Module, Programme

ALL_SESSIONS = 0


@dataclass(frozen=True)
class CourseChanges:
    """What the supporter chose for the time from here on; None leaves a thing as it is.

    `sessions_a_week` is the most that a week holds (`ALL_SESSIONS`: all of its module). `modules_after` are the
    modules after the one that this review opens, in their order; empty: none.
    """

    cadence_days: int | None = None
    sessions_a_week: int | None = None
    modules_after: tuple[str, ...] | None = None

    @property
    def is_any(self) -> bool:
        return self != NO_CHANGES


NO_CHANGES = CourseChanges()


def following_module(programme: Programme, current: str, ahead: Sequence[str] | None) -> Module | None:
    """The module after `current`: the first of the person's own order, or the programme's next."""
    if ahead is None:
        return programme.next_module(current)
    return programme.module(ahead[0]) if ahead else None


def modules_after(programme: Programme, module: str, ahead: Sequence[str] | None) -> tuple[str, ...]:
    """What comes after `module` once it opens, if nobody changes the order."""
    if ahead is not None:
        return without_first(ahead, module)
    opened = programme.module(module)
    return tuple(one.slug for one in programme.modules if opened is not None and one.number > opened.number)


def without_first(ahead: Sequence[str], module: str) -> tuple[str, ...]:
    """The order that is left when `module` opens: its first place in it is used."""
    place = ahead.index(module) if module in ahead else None
    return tuple(slug for number, slug in enumerate(ahead) if number != place)


def weeks_in_all(programme: Programme, number: int, ahead: Sequence[str] | None) -> int:
    """How many weeks the course holds when week `number` is open: the person's own order, or the programme's."""
    return len(programme.modules) if ahead is None else number + len(ahead)


def change_sentences(changes: CourseChanges, programme: Programme) -> tuple[str, ...]:
    """What changes from here on, said to the patient."""
    sentences = []
    if changes.cadence_days is not None:
        weeks = "every two weeks" if changes.cadence_days > 7 else "every week"
        sentences.append(f"From now on we go {weeks}.")
    if changes.sessions_a_week is not None:
        sentences.append(_pace_sentence(changes.sessions_a_week))
    if changes.modules_after is not None:
        sentences.append(_order_sentence([programme.module(slug) for slug in changes.modules_after]))
    return tuple(sentences)


def _pace_sentence(sessions: int) -> str:
    if sessions == ALL_SESSIONS:
        return "From now on a week holds all the sessions of its module."
    count = "one session" if sessions == 1 else f"{sessions} sessions"
    return f"From now on we go more slowly: a week holds {count}, and a module can take longer."


def _order_sentence(modules: Sequence[Module | None]) -> str:
    titles = [module.title for module in modules if module is not None]
    if not titles:
        return "No other module comes after the next one."
    return f"After the next module, this comes: {', then '.join(titles)}."
