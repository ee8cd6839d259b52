"""Reports as people read them."""

from icbt_support.feedback.rules import STATE_WORDS, ReportKind, ReportState

KIND_WORDS = {ReportKind.PROBLEM: "Problem", ReportKind.IDEA: "Idea"}
_COLOURS = {
    ReportState.NEW: "blue",
    ReportState.TRIAGED: "yellow",
    ReportState.WITH_VENDOR: "yellow",
    ReportState.ANSWERED: "white",
    ReportState.RESOLVED: "green",
    ReportState.NOT_PLANNED: "grey",
}
STATE_TAGS = {state: (STATE_WORDS[state], _COLOURS[state]) for state in ReportState}
