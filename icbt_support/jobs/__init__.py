"""Time's door: the schedule, its tasks and the runner."""
