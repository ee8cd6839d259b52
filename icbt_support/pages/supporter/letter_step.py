"""What the next step of a letter can use: a tool, a page, a module, or nothing but a task."""

import re
from dataclasses import dataclass

from wtforms.fields.choices import SelectChoice

from icbt_support.programme.content import Programme

FREE = "free"
USES_SOMETHING = ("tool", "page", "module")
STEP_KINDS = [
    SelectChoice(FREE, "Nothing of the course"),
    SelectChoice("tool", "A tool"),
    SelectChoice("page", "A page"),
    SelectChoice("module", "A module"),
]
_SUBJECT = re.compile(r"(tool|module):[a-z0-9-]{1,60}|page:[a-z0-9-]{1,60}/[a-z0-9-]{1,60}")


@dataclass(frozen=True)
class StepOptions:
    """What can be chosen, as the plan names it, and the words for it."""

    tools: tuple[tuple[str, str], ...]
    pages: tuple[tuple[str, str], ...]
    modules: tuple[tuple[str, str], ...]


def step_options(programme: Programme) -> StepOptions:
    return StepOptions(
        tools=(
            ("", "Choose a tool"),
            *((f"tool:{slug}", tool.title) for slug, tool in programme.tools.items()),
        ),
        pages=(
            ("", "Choose a page"),
            *(
                (f"page:{module.slug}/{page.slug}", f"Module {module.number}: {page.title}")
                for module in programme.modules
                for page in module.pages
            ),
        ),
        modules=(
            ("", "Choose a module"),
            *(
                (f"module:{module.slug}", f"Module {module.number}: {module.title}")
                for module in programme.modules
            ),
        ),
    )


def is_step_subject(subject: str) -> bool:
    return _SUBJECT.fullmatch(subject) is not None


def step_values(subject: str, kind: str) -> dict[str, str]:
    """A step's fields in the form; a kind may be chosen before the thing itself is."""
    chosen = subject.partition(":")[0] or kind
    return {"step_kind": chosen} | ({f"step_{chosen}": subject} if chosen in USES_SOMETHING else {})


def title_of(subject: str, programme: Programme) -> str:
    """What a step is called that uses this, if nobody writes it in other words."""
    kind, _, rest = subject.partition(":")
    module_slug, _, page_slug = rest.partition("/")
    module = programme.module(module_slug)
    page = module.page(page_slug) if module is not None else None
    used = {"tool": programme.tools.get(rest), "page": page, "module": module}.get(kind)
    verb = {"tool": "Use", "page": "Read", "module": "Work through"}.get(kind, "")
    return f"{verb}: {used.title}" if used is not None else ""
