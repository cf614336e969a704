# Sourced by the scripts: sets jdk to the home of a JDK $need or newer, 25 if that is not set; empty where none is found.
: "${need:=25}"

# Feature release of the JDK at $1, read from its release file, else asked of its java; empty where there is no JDK.
feature_of() {
    [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] || return 0
    v=''
    if [ -r "$1/release" ]; then
        v=$(sed -n 's/^JAVA_VERSION="\([0-9][0-9]*\).*/\1/p' "$1/release")
    fi
    if [ -z "$v" ]; then
        v=$("$1/bin/java" -XshowSettings:properties -version 2>&1 \
            | sed -n 's/^ *java\.specification\.version = \([0-9][0-9]*\)$/\1/p')
    fi
    printf '%s' "$v"
}

jdk=''
try_jdk() {
    [ -z "$jdk" ] || return 0
    v=$(feature_of "$1")
    if [ -n "$v" ] && [ "$v" -ge "$need" ]; then
        jdk=$1
    fi
}

[ -z "${JAVA_HOME:-}" ] || try_jdk "$JAVA_HOME"
on_path=$(command -v java 2>/dev/null || true)
if [ -z "$jdk" ] && [ -n "$on_path" ]; then
    on_path=$(readlink -f "$on_path" 2>/dev/null || printf '%s' "$on_path")
    try_jdk "$(dirname "$(dirname "$on_path")")"
fi
for d in /usr/lib/jvm/* "${HOME:-/}"/.sdkman/candidates/java/* "${HOME:-/}"/.jdks/* /opt/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    try_jdk "$d"
done
