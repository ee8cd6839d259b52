"""The keys that an author may write in a programme's files; tools and measures stand in `content.py`."""

from pydantic import Field

from icbt_support.programme.content import (
    Content,
    Exercise,
    Minutes,
    Practice,
    Session,
    ShortWords,
    Slug,
    Source,
    Words,
)

_SLUG = "a name in lower case with hyphens, like low-mood"
_MINUTES = "a whole number of minutes, 1 to 240"


class ProgrammeFile(Content):
    """programme.yml"""

    slug: Slug = Field(description=_SLUG)
    version: ShortWords = Field(
        pattern=r"^[0-9]+(\.[0-9]+)*$", max_length=20, description='a number in quotes, like "1.0"'
    )
    title: ShortWords = Field(description="a short title")
    summary: Words = Field(description="one or two sentences that say what it is")
    audience: Words = Field(description="one sentence that says who it is for")
    not_for: Words = Field(description="one sentence that says who needs other help first")
    modules: tuple[Slug, ...] = Field(min_length=1, description="a list of the modules' names, in order")
    tools: tuple[Slug, ...] = Field((), description="a list of the tools' names, in the order they are shown")
    check_in: tuple[Slug, ...] = Field(
        min_length=1, description="a list of the measures asked at the start and at every check-in"
    )
    sources: tuple[Source, ...] = Field(
        min_length=1, description="a list of what the authors leaned on, each with title and note"
    )


class ModuleFile(Content):
    """module.yml"""

    slug: Slug = Field(description=_SLUG)
    title: ShortWords = Field(description="a short title")
    aim: Words = Field(description='one sentence that begins "By the end you can" or "By the end you have"')
    minutes: Minutes = Field(description=_MINUTES)
    sessions: tuple[Session, ...] = Field(
        min_length=1, max_length=4, description="a list of one to four sessions"
    )
    practice: tuple[Practice, ...] = Field(
        min_length=1, max_length=3, description="a list of one to three practice tasks"
    )
    summary: tuple[Words, ...] = Field(
        min_length=1, max_length=6, description="a list of the sentences to keep"
    )


class PageFile(Content):
    """What stands between the --- lines at the top of a page."""

    title: ShortWords = Field(description="a short title")
    minutes: Minutes = Field(description=_MINUTES)
    exercise: Exercise | None = Field(None, description="one exercise")
