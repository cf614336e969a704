#!/bin/sh
# The same work by Gramian and by other libraries, each in a JVM of its own, taking turns; tables and pictures of ratios:
#     peers.sh [-t "1 2"] [-w WORK,...] [-p PEER,...] [-r TURNS] [-m MINUTES] [-o FILE] [--quick | --smoke]
# -w takes attention decode gemm bgemm rows svd rank eigh small elementwise, or works such as 'gemm 512x512x512'; -p the
# names in the tables. Gramian always plays. FILE (results/peers-DATE) gets the endings .md, .csv and -THREADS.png. After
# MINUTES (25; 12 with --quick) what is left is left out. --quick leaves out what takes seconds a call and takes 3 turns; --smoke does every
# work once at a tiny size, compares the results and takes no times. The first run downloads some 900 MB into ~/.m2.
set -eu
. "$(dirname -- "$0")/build.sh"
peers=$here/peers

# A module that does not build is a peer that does not play, hence --fail-at-end; what all need is checked below.
stamp=$peers/target/.built
if [ ! -f "$stamp" ] || [ "$here/target/.built" -nt "$stamp" ] \
    || [ -n "$(find "$peers" -path '*/target' -prune -o -type f -newer "$stamp" -print | head -n 1)" ]
then
    mkdir -p "$peers/target"
    : >"$stamp.new"
    if command -v mvn >/dev/null 2>&1; then mvn=mvn; else mvn=$root/mvnw; fi
    rm -rf "$peers"/*/target/class-path "$peers"/*/target/classes
    (cd "$peers" && "$mvn" -q -B -Dstyle.color=never --fail-at-end package) >"$peers/target/build.log" 2>&1 \
        || echo "peers: some modules did not build; see $peers/target/build.log" >&2
    for m in protocol conductor gramian; do
        [ -f "$peers/$m/target/class-path" ] || { grep ERROR "$peers/target/build.log" >&2; exit 1; }
    done
    mv "$stamp.new" "$stamp"
fi

commit=$(git -C "$root" describe --always --dirty 2>/dev/null || echo unknown)
class_path=$peers/conductor/target/classes:$(cat "$peers/conductor/target/class-path")
exec "$java" --enable-native-access=ALL-UNNAMED -Dpeers.modules="$peers" -Dpeers.commit="$commit" \
    -Dpeers.gramian="$here/target/lib/*" -cp "$class_path" \
    "-Dpeers.out=$here/results/peers-$(date +%Y-%m-%d)" dev.gramian.peers.Conductor "$@"
