"""Progress, caseload and the state of the service: reads only."""
