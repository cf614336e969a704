# Sourced by the scripts here: builds the benchmarks on a fresh gramian jar if sources changed; sets here and java.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
root=$(dirname -- "$here")
. "$root/bin/jdk.sh"
[ -n "$jdk" ] || { echo "no JDK $need or newer found; set JAVA_HOME" >&2; exit 1; }
java=$jdk/bin/java

stamp=$here/target/.built
if [ ! -f "$stamp" ] || [ -n "$(find "$root/src/main" "$root/pom.xml" "$here/src" "$here/pom.xml" -newer "$stamp" | head -n 1)" ]
then
    mkdir -p "$here/target"
    : >"$stamp.new"
    if command -v mvn >/dev/null 2>&1; then mvn=mvn; else mvn=$root/mvnw; fi
    (cd "$root" && "$mvn" -q -B -Dstyle.color=never -Dmaven.test.skip=true -Dspotless.check.skip=true install) >&2
    # a benchmark class of yesterday would still be listed
    rm -rf "$here/target/classes"
    (cd "$here" && "$mvn" -q -B -Dstyle.color=never package) >&2
    mv "$stamp.new" "$stamp"
fi

class_path=$here/target/classes:$here/target/lib/\*
# JMH 1.37 still reads fields through sun.misc.Unsafe, about which JDK 25 warns
flags='--add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow'
