package dev.gramian.cuda;

import dev.gramian.core.NativeException;
import jcuda.driver.CUresult;
import jcuda.jcublas.cublasStatus;
import jcuda.jcusolver.cusolverStatus;
import jcuda.nvrtc.nvrtcResult;

/** Turns the statuses that CUDA libraries return into exceptions. Every call's status passes here. */
final class Status {
    private Status() {}

    /** Of a driver call; {@code what} names call and purpose, such as {@code cuMemcpyHtoDAsync, upload of 4 KiB}. */
    static void driver(int status, String what) {
        if (status != 0) {
            throw failure("driver", what, CUresult.stringFor(status), status);
        }
    }

    static void blas(int status, String what) {
        if (status != 0) {
            throw failure("cuBLAS", what, cublasStatus.stringFor(status), status);
        }
    }

    static void solver(int status, String what) {
        if (status != 0) {
            throw failure("cuSOLVER", what, cusolverStatus.stringFor(status), status);
        }
    }

    static void nvrtc(int status, String what) {
        if (status != 0) {
            throw failure("NVRTC", what, nvrtcResult.stringFor(status), status);
        }
    }

    private static NativeException failure(String library, String what, String name, int status) {
        boolean sticky = library.equals("driver") && (status >= 700 && status < 720 || status == 999 || status == 719);
        return new NativeException("cuda: " + library + " says " + name + " (" + status + "); " + what + "; "
                + (sticky
                        ? "the device's context is lost: this process can compute on it no more"
                        : "see `gramian devices` for driver and libraries"));
    }
}
