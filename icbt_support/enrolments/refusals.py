"""Why a course cannot change as it was asked to."""

from icbt_support.enrolments.models import EnrolmentState


class NotPossibleNow(Exception):
    """The course is in a state from which this cannot happen."""

    def __init__(self, state: EnrolmentState, wanted: EnrolmentState) -> None:
        super().__init__(f"A course that is {state.value} cannot become {wanted.value}.")
        self.state = state
        self.wanted = wanted


class UnknownCadence(Exception):
    """A course turns every 7 or every 14 days."""
