#!/usr/bin/env bash
# Lint and types beside the tests, which pytest times folder by folder; the floors are a test of their own.
set -u
# The tests start the product many times: without compiled modules every start compiles all of it.
unset PYTHONDONTWRITEBYTECODE
bin=.venv/bin
report=$(mktemp)
trap 'rm -f "$report"' EXIT

check() {
  local status=0
  $bin/ruff format --check --quiet . || { echo "ruff format: some files are not formatted"; status=1; }
  $bin/ruff check --quiet . || status=1
  $bin/mypy --no-error-summary icbt_support app.py || status=1
  return $status
}

check >"$report" 2>&1 &
checks=$!
status=0
# Three processes on two cores: part of the time is waiting; four were slower. The order is that of tests/conftest.py.
$bin/python -m pytest tests -q -n "${TEST_PROCESSES:-3}" --dist loadfile --no-loadscope-reorder -p no:cacheprovider || status=1
wait $checks || { cat "$report"; status=1; }
exit $status
