package dev.gramian.cuda;

import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUstream;
import jcuda.jcusolver.cusolverDnHandle;
import jcuda.jcusolver.cusolverDnParams;

/** JCuda's pointer and handle types with their addresses in the open: JCuda keeps them protected. */
final class Pointers {
    private Pointers() {}

    /** Device memory at an address. */
    static CUdeviceptr device(long address) {
        return new Device(address);
    }

    /** Native host memory at an address. */
    static Pointer host(long address) {
        return new Host(address);
    }

    private static final class Device extends CUdeviceptr {
        private static final CUdeviceptr NULL = new CUdeviceptr();

        Device(long address) {
            super(NULL, address);
        }
    }

    private static final class Host extends Pointer {
        Host(long address) {
            super(address);
        }
    }

    /** Receives an address that a function allocates. */
    static final class Allocated extends CUdeviceptr {
        long address() {
            return getNativePointer() + getByteOffset();
        }
    }

    /** Receives a host address that a function allocates. */
    static final class AllocatedHost extends Pointer {
        long address() {
            return getNativePointer() + getByteOffset();
        }
    }

    static final class Context extends CUcontext {
        long address() {
            return getNativePointer();
        }
    }

    static final class Function extends CUfunction {
        long address() {
            return getNativePointer();
        }
    }

    static final class Stream extends CUstream {
        long address() {
            return getNativePointer();
        }
    }

    static final class Event extends CUevent {
        long address() {
            return getNativePointer();
        }
    }

    static final class Solver extends cusolverDnHandle {
        long address() {
            return getNativePointer();
        }
    }

    static final class SolverParams extends cusolverDnParams {
        long address() {
            return getNativePointer();
        }
    }
}
