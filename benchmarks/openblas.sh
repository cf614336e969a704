#!/bin/sh
# GFLOP/s of sgemm called from C in the libopenblas that Gramian ships:  openblas.sh [THREADS [M N K]...]
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
version=$(sed -n 's/.*<version.openblas>\(.*\)<.*/\1/p' "$here/../pom.xml")
jar=$HOME/.m2/repository/org/bytedeco/openblas/$version/openblas-$version-linux-x86_64.jar
[ -f "$jar" ] || { echo "openblas.sh: $jar not found; run mvn package in the repository root" >&2; exit 1; }
lib=$here/target/openblas
mkdir -p "$lib"
unzip -qnj "$jar" 'org/bytedeco/openblas/linux-x86_64/*.so*' -d "$lib"
make -s -C "$here/openblas-c"
[ $# -gt 0 ] || set -- "$(nproc)"
LD_LIBRARY_PATH=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} exec "$here/target/sgemm" "$lib/libopenblas.so.0" "$@"
