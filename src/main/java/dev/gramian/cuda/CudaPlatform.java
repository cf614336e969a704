package dev.gramian.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.List;

/** The CUDA driver and libraries of this process, loaded once; or the reason why there are none. */
final class CudaPlatform {
    private static final CudaPlatform INSTANCE = new CudaPlatform();

    private CudaPlatform() {}

    static CudaPlatform get() {
        return INSTANCE;
    }

    /** Null where CUDA can be used: driver, a card, cuBLAS, cuSOLVER and NVRTC with their bindings all loaded. */
    String reason() {
        return "libcuda.so.1 is not looked for yet";
    }

    int deviceCount() {
        return 0;
    }

    /** The driver library's functions. */
    SymbolLookup driver() {
        return SymbolLookup.libraryLookup("libcuda.so.1", Arena.global());
    }

    /** CUDA major version of the libraries loaded: 12 or 13. */
    int major() {
        return 12;
    }

    /** True for the stand-in that tests run on. */
    boolean emulated() {
        return false;
    }

    /** Directory of this user alone for compiled kernels. */
    Path cache() {
        return Path.of(System.getProperty("user.home", "."), ".cache", "gramian");
    }

    List<String> diagnosis() {
        return List.of(reason());
    }
}
