#!/bin/sh
# Matrix products by Gramian and by cblas_sgemm called from C, on the same libopenblas file, taking turns:
#     compare-openblas.sh [-t "1 2"] [-r TURNS] [-w GFLOP] [-d DEVICE] [MxNxK]...
# Medians in ms; a ratio above 1 means Gramian is faster. Both run the kernels OpenBLAS chooses for the processor, whatever
# OPENBLAS_CORETYPE is in the environment.
# On one thread the time is processor time, which other programs hardly disturb. On more it is wall time, and a turn in
# which a program did not have its cores to itself (less than 85% of them) does not count; "of" says how many turns of the
# two programs did. Turns go on until each has TURNS or three times as many were tried. A turn is GFLOP of products in a row
# (20, some 0.1 s; at least one product) after one that does not count; between turns both sides rest for 0.1 s, after
# which threads are asleep: with -w 2 that shows.
set -eu
threads="1 2"
turns=11
work=20
device=cpu:native
while getopts t:r:w:d: o; do
    case $o in
        t) threads=$OPTARG ;;
        r) turns=$OPTARG ;;
        w) work=$OPTARG ;;
        d) device=$OPTARG ;;
        *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
. "$(dirname -- "$0")/build.sh"
. "$here/library.sh"
[ $# -gt 0 ] || set -- 512x512x512 1024x1024x1024 2048x2048x2048 4096x4096x4096 4096x768x768

tmp=$(mktemp -d)
trap 'exec 3>&- 7>&-; rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
mkfifo "$tmp/c.in" "$tmp/c.out" "$tmp/j.in" "$tmp/j.out"

median() {
    [ -s "$1" ] || { echo nan; return; }
    sort -n "$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# One turn: the size to a program's input, its answer appended to a file. OpenBLAS's threads spin for a while after each
# call, hence the pause.
turn() {
    sleep 0.1
    echo "$1" >&"$2"
    read -r ms cores <&"$3"
    [ -z "$4" ] || echo "$ms $cores $t" | awk '$3 == 1 { print $1 * $2 } $3 > 1 && $2 > 0.85 * $3 { print $1 }' >>"$4"
}

count() {
    cat "$1" 2>/dev/null | wc -l
}

printf '%-8s%-16s%10s%12s%12s%8s  %s\n' threads size GFLOP/s 'java ms' 'C ms' ratio of
for t in $threads; do
    "$here/target/sgemm" "$lib/libopenblas.so.0" "$t" - <"$tmp/c.in" >"$tmp/c.out" &
    # shellcheck disable=SC2086
    "$java" $flags -XX:+UseParallelGC "-Dgramian.openblas=$lib/libopenblas.so.0" "-Dgramian.threads=$t" \
        -cp "$class_path" dev.gramian.benchmarks.GemmTurns "$device" <"$tmp/j.in" >"$tmp/j.out" 2>/dev/null &
    exec 3>"$tmp/c.in" 4<"$tmp/c.out" 7>"$tmp/j.in" 8<"$tmp/j.out"
    # to warm up: the JIT needs some seconds of work
    for i in 1 2 3 4 5 6 7 8 9 10; do turn "512 512 512 $work" 7 8 ''; turn "768 768 768 $work" 7 8 ''; done
    for size in "$@"; do
        mnk=$(echo "$size" | tr x ' ')
        rm -f "$tmp"/?
        turn "$mnk $work" 7 8 ''
        turn "$mnk $work" 7 8 ''
        i=0
        while [ "$i" -le $((3 * turns)) ]; do
            # turn 0 warms up
            f=$([ "$i" = 0 ] || echo "$tmp")
            turn "$mnk $work" 3 4 "${f:+$f/c}"
            turn "$mnk $work" 7 8 "${f:+$f/j}"
            i=$((i + 1))
            if [ "$(count "$tmp/c")" -ge "$turns" ] && [ "$(count "$tmp/j")" -ge "$turns" ]; then
                break
            fi
        done
        c=$(median "$tmp/c")
        j=$(median "$tmp/j")
        n="$(count "$tmp/j")+$(count "$tmp/c") of $((i - 1))"
        echo "$t $size $j $c $mnk $n" | awk '{
            gflop = $3 == "nan" ? "nan" : sprintf("%.1f", 2e-6 * $5 * $6 * $7 / $3)
            ratio = $3 == "nan" || $4 == "nan" ? "nan" : sprintf("%.2f", $4 / $3)
            printf "%-8s%-16s%10s%12s%12s%8s  %s of %s\n", $1, $2, gflop, $3, $4, ratio, $8, $10 }'
    done
    exec 3>&- 4<&- 7>&- 8<&-
    wait
done
