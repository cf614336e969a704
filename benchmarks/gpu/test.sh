#!/bin/sh
# Tests gpu-check and the report without a card: a bundle whose java is a stand-in that succeeds, fails, dies or hangs as told.
# Only the report is made by the real classes. About three minutes.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
root=$(CDPATH='' cd -- "$here/../.." && pwd -P)
. "$root/bin/jdk.sh"
[ -n "$jdk" ] || { echo "no JDK $need or newer found; set JAVA_HOME" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# builds target/classes and target/lib where they are stale
"$root/bin/gramian" --version >/dev/null
"$jdk/bin/javac" --release 25 -nowarn -d "$work/gramian-gpu/bench" -cp "$root/target/classes:$root/target/lib/*" \
    "$root"/benchmarks/src/main/java/dev/gramian/benchmarks/gpu/*.java
mkdir -p "$work/gramian-gpu/runtime/bin" "$work/gramian-gpu/lib" "$work/gramian-gpu/peers" "$work/bin" "$work/state"
cp "$here/gpu-check" "$work/gramian-gpu/"
echo 'version: test (abc)' >"$work/gramian-gpu/VERSION"

# BENCH and SPECS say what happens; calls are counted in files.
cat >"$work/gramian-gpu/runtime/bin/java" <<'EOF'
#!/bin/sh
all=" $* "
last_of() { for last; do :; done; printf '%s' "$last"; }
case $all in
    *' -version '*) printf 'one\nfake runtime\n' >&2 ;;
    *cli.Main*)
        [ -z "${DEVICES_HANG:-}" ] || exec sleep 600
        echo '*  cpu:native  fake'
        if [ -n "${CARD:-}" ]; then
            echo "   cuda:0      $CARD, compute capability 9.0"
        else
            echo '   cuda:0      unavailable: libcuda.so.1 not found'
        fi
        ;;
    *GpuBench*--list*)
        for case in copy/F32/4x4 softmax/F32/4x4; do
            echo "{\"id\":\"$case\",\"group\":\"memory\",\"kind\":\"${case%%/*}\",\"type\":\"F32\",\"shape\":[4,4],\"causal\":false,\"bytes\":1e9,\"flops\":0}"
        done >"$(last_of "$@")"
        ;;
    *GpuBench*)
        echo x >>"$STATE/bench"
        out=$(printf '%s' "$all" | sed 's/.* -o \([^ ]*\) .*/\1/')
        speeds=true
        case $all in *--smoke*) speeds=false ;; esac
        echo "{\"device\":\"cuda:0\",\"description\":\"fake\",\"emulated\":${EMULATED:-false},\"speeds\":$speeds,\"extent\":\"FULL\"}" >>"$out"
        echo '{"id":"copy/F32/4x4","status":"ok","error":0,"bound":0,"seconds":0.001,"least":0.001,"most":0.0011,"repetitions":5,"calls":20}' >>"$out"
        case ${BENCH:-ok} in
            ok) ;;
            twice) [ "$(wc -l <"$STATE/bench")" -gt 2 ] || exit 75 ;;
            always) exit 134 ;;
            hang) trap '' TERM; while :; do sleep 1; done ;;
        esac
        echo '{"id":"softmax/F32/4x4","status":"ok","error":1e-8,"bound":1e-5,"seconds":0.002,"least":0.002,"most":0.002,"repetitions":5,"calls":10}' >>"$out"
        ;;
    *SpecPool*)
        mkdir -p "$(last_of "$@")"
        if [ "${SPECS:-ok}" = ok ]; then
            failures='[]'
        else
            failures='[{"class":"A","test":"b() [cuda:0]","device":"cuda:0","status":"failed","message":"as told"}]'
        fi
        echo "{\"devices\":{\"cuda:0\":{\"passed\":3,\"failed\":0,\"skipped\":0,\"skipReasons\":{}}},\"failures\":$failures,\"stopped\":[]}" \
            >"$(last_of "$@")/spec-summary.json"
        [ "${SPECS:-ok}" = ok ]
        ;;
    *gpu.Tour*) echo '========= ERROR SUMMARY: 0 errors' ;;
    *gpu.Report*) exec "$REAL_JAVA" -cp "$REAL_PATH" dev.gramian.benchmarks.gpu.Report "$(last_of "$@")" ;;
    *) echo "unexpected: $all" >&2; exit 9 ;;
esac
EOF
cat >"$work/bin/nvidia-smi" <<'EOF'
#!/bin/sh
[ -z "${SMI_HANGS:-}" ] || exec sleep 600
case $* in
    *query-gpu*) printf 'name, driver_version, memory.total [MiB]\nFake H200, 999.1, 143771 MiB\n' ;;
    *) echo 'a table' ;;
esac
EOF
cat >"$work/bin/compute-sanitizer" <<'EOF'
#!/bin/sh
while [ "${1#*/java}" = "$1" ]; do shift; done
"$@"
printf '========= Invalid __global__ write of size 4 bytes\n=========     at rows+0x20\n========= ERROR SUMMARY: 1 error\n'
exit "${SANITIZER:-0}"
EOF
# PyTorch's stand-in: answers for the first case
cat >"$work/bin/torch" <<'EOF'
#!/bin/sh
[ "$1" != --version ] || { echo 'Python 3.99'; exit 0; }
[ "$1" != -c ] || exit 0
[ -z "${NO_TORCH:-}" ] || { echo 'no PyTorch: No module named torch' >&2; exit 3; }
for last; do :; done
echo '{"torch":"9.9","cuda":"13.0","device":"fake","speeds":true,"cudnn":1}' >>"$last"
echo '{"id":"copy/F32/4x4","variant":"default","status":"ok","seconds":0.003,"least":0.003,"most":0.003,"repetitions":5,"calls":9}' >>"$last"
EOF
chmod +x "$work/gramian-gpu/runtime/bin/java" "$work"/bin/*
export STATE="$work/state" REAL_JAVA="$jdk/bin/java" REAL_PATH="$work/gramian-gpu/bench:$root/target/classes:$root/target/lib/*"
plain=$PATH

failed=0
# check NAME EXPECTED_EXIT WORDS_OF_THE_REPORT... ; the run's settings are in the environment
check() {
    name=$1
    expected=$2
    shift 2
    rm -rf "$STATE" "$work/out"
    mkdir "$STATE"
    code=0
    began=$(date +%s)
    # shellcheck disable=SC2086
    "$work/gramian-gpu/gpu-check" ${ARGUMENTS:---minutes 1} -o "$work/out" >"$work/log" 2>&1 || code=$?
    took=$(($(date +%s) - began))
    bad=
    [ "$code" = "$expected" ] || bad="exit code $code instead of $expected"
    [ "$took" -le 62 ] || bad="$bad; took $took s of the minute"
    for words; do
        grep -qF -- "$words" "$work/out/report.md" 2>/dev/null || bad="$bad; the report does not say: $words"
    done
    if [ -n "$bad" ]; then
        failed=1
        echo "FAILED $name: $bad"
        cat "$work/log" "$work/out/report.md" 2>/dev/null
    else
        echo "ok     $name ($took s)"
    fi
}

PATH=$work/bin:$plain
(CARD='' GPU_CHECK_PYTHON=/nonexistent check 'no card' 3 '# No usable NVIDIA card: no card' 'There was no usable CUDA device' \
    'libcuda.so.1 not found' 'No times were taken'; exit "$failed") || failed=1
(CARD=Fake GPU_CHECK_PYTHON=torch check 'a card and PyTorch' 0 '# Fake H200: passed' '| copy/F32/4x4 | 1.00 ms | 1000 GB/s | 100% |' \
    '| softmax/F32/4x4 | 2.00 ms | 500 GB/s | 50% |' '| 3.00 ms | 3.00 |' 'Peer: PyTorch 9.9' '1 × Invalid __global__ write of size 4 bytes at rows' \
    '| cuda | cuda:0 | 3 | 0 | 0 |'; exit "$failed") || failed=1
(CARD=Fake NO_TORCH=1 GPU_CHECK_PYTHON=torch check 'no PyTorch' 0 '| peers | absent |' 'No PyTorch was found'; exit "$failed") || failed=1
(CARD=Fake BENCH=twice GPU_CHECK_PYTHON=torch check 'the device is lost twice' 0 '| bench | ok |' '| softmax/F32/4x4 | 2.00 ms |'
    [ "$(wc -l <"$STATE/bench")" = 3 ] || { echo 'FAILED: not started three times'; failed=1; }; exit "$failed") || failed=1
(CARD=Fake BENCH=always GPU_CHECK_PYTHON=torch check 'the benchmark always dies' 1 '| bench | failed |' 'not run' '| peers | ok |'
    exit "$failed") || failed=1
(CARD=Fake BENCH=hang GPU_CHECK_PYTHON=torch check 'the benchmark hangs' 1 '| bench | stopped |' '| copy/F32/4x4 | 1.00 ms |' '| peers | ok |'
    exit "$failed") || failed=1
(CARD=Fake SPECS=bad GPU_CHECK_PYTHON=torch check 'a spec fails' 1 '| specs-cuda | failed |' 'as told'; exit "$failed") || failed=1
(CARD=Fake SANITIZER=9 GPU_CHECK_PYTHON=torch check 'the sanitizer finds something' 1 '| sanitizer-memcheck | failed |'
    exit "$failed") || failed=1
(CARD=Fake EMULATED=true GPU_CHECK_PYTHON=torch check 'emulated' 0 '**CUDA was emulated on the CPU.**' 'No times were taken'
    if grep -q ' ms ' "$work/out/report.md"; then echo 'FAILED: the report gives times'; failed=1; fi; exit "$failed") || failed=1
(CARD=Fake SMI_HANGS=1 GPU_CHECK_PYTHON=torch check 'nvidia-smi hangs' 0 'nvidia-smi: failed or did not end' '# cuda:0: passed'; exit "$failed") || failed=1
(CARD=Fake DEVICES_HANG=1 GPU_CHECK_PYTHON=torch check 'the list of devices hangs' 1 '| diagnosis | stopped |' \
    'the list of devices did not come'; exit "$failed") || failed=1
(CARD=Fake ARGUMENTS='--minutes 1 --only bench' GPU_CHECK_PYTHON=torch check 'one part' 0 '| bench | ok |'
    if grep -q '| peers |' "$work/out/report.md"; then echo 'FAILED: other parts ran'; failed=1; fi; exit "$failed") || failed=1
for wrong in '--only nothing' '--minutes x' '--minutes 0' '--what' '-o'; do
    code=0
    # shellcheck disable=SC2086
    "$work/gramian-gpu/gpu-check" $wrong >"$work/log" 2>&1 || code=$?
    [ "$code" = 2 ] || { echo "FAILED: gpu-check $wrong gives $code"; failed=1; }
done
exit "$failed"
