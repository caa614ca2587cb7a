# Runs the tests that were brought along, as far as the filters beside them say.

export TANK_IN_VM=1 TANK_BIN=/payload/tank TANK_FIXTURES=/payload/fixtures RUST_BACKTRACE=1
for tests in black-box unit; do
    # shellcheck disable=SC2046 # one filter a word
    /payload/$tests --test-threads=1 $(cat /payload/$tests.filters)
    echo "vm: $tests: exit $?"
done
