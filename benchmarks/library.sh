# Sourced by the scripts here, after here is set: unpacks the OpenBLAS that Gramian ships and builds sgemm; sets lib.
# The kernels are those OpenBLAS chooses for the processor, whatever the environment holds it to.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
version=$(sed -n 's/.*<version.openblas>\(.*\)<.*/\1/p' "$here/../pom.xml")
jar=$HOME/.m2/repository/org/bytedeco/openblas/$version/openblas-$version-linux-x86_64.jar
[ -f "$jar" ] || { echo "$jar not found; run mvn package in the repository root" >&2; exit 1; }
lib=$here/target/openblas
mkdir -p "$lib"
unzip -qnj "$jar" 'org/bytedeco/openblas/linux-x86_64/*.so*' -d "$lib"
make -s -C "$here/openblas-c"
export LD_LIBRARY_PATH="$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
