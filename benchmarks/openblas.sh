#!/bin/sh
# GFLOP/s of sgemm called from C in the libopenblas that Gramian ships:  openblas.sh [THREADS [M N K]...]
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
. "$here/library.sh"
[ $# -gt 0 ] || set -- "$(nproc)"
exec "$here/target/sgemm" "$lib/libopenblas.so.0" "$@"
