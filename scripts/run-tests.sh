#!/usr/bin/env bash
# Lint, types and floors first, then the tests, folder by folder timed by pytest itself.
set -u
bin=.venv/bin
status=0
$bin/ruff format --check --quiet . || { echo "ruff format: some files are not formatted"; status=1; }
$bin/ruff check --quiet . || status=1
$bin/mypy --no-error-summary icbt_support app.py || status=1
$bin/lint-imports --no-cache >/tmp/lint-imports.$$ 2>&1 || { cat /tmp/lint-imports.$$; status=1; }
rm -f /tmp/lint-imports.$$
$bin/python -m pytest tests -q -n "${TEST_PROCESSES:-2}" --dist loadfile -p no:cacheprovider || status=1
exit $status
