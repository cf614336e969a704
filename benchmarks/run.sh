#!/bin/sh
# Builds what is stale and runs JMH:  run.sh [JMH arguments], for example  run.sh SmallOps -f 1
set -eu
. "$(dirname -- "$0")/build.sh"
# shellcheck disable=SC2086
exec "$java" $flags -XX:+UseParallelGC -cp "$class_path" org.openjdk.jmh.Main "$@"
