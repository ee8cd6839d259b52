"""The verbs that move several concepts at once, each in one transaction."""
