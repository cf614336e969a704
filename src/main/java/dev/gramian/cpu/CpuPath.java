package dev.gramian.cpu;

/** Which kernels a CPU device uses; what cannot load is reported with its reason, never replaced. */
public enum CpuPath {
    /** OpenBLAS and LAPACK for products and decompositions, Vector API kernels (scalar where absent) for the rest. */
    NATIVE,
    /** Everything in Java with the Vector API. */
    VECTOR,
    /** Everything in plain Java; also the reference the other two are tested against. */
    SCALAR;

    /** Whether kernels of this path may use the Vector API. */
    boolean vector() {
        return this != SCALAR && vectorModule();
    }

    /** Whether the Vector API can be used. By class: bin/gramian loads its module outside the boot layer. */
    static boolean vectorModule() {
        return VectorModule.PRESENT;
    }

    private static final class VectorModule {
        static final boolean PRESENT = look();

        private static boolean look() {
            try {
                Class.forName("jdk.incubator.vector.FloatVector", false, CpuPath.class.getClassLoader());
                return true;
            } catch (ClassNotFoundException e) {
                return false;
            }
        }
    }
}
