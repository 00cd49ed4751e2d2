#!/bin/sh
# Run the tests; where some fail, look what would heal them. Exit code: that of the tests.
set -u

pytest --junitxml=results.xml
code=$?
if [ "$code" -eq 1 ] || [ "$code" -eq 2 ]; then
    maestro-heal heal --test-results results.xml --json -- -o heal_cache_dir=.maestro > heal.json
fi
exit "$code"
