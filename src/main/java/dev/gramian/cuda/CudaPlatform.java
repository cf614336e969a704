package dev.gramian.cuda;

import dev.gramian.core.NativeException;
import dev.gramian.cuda.LibraryPlaces.Place;
import dev.gramian.natives.Loader;
import dev.gramian.natives.PrivateDirectory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.List;
import java.util.Locale;

/**
 * The CUDA driver and libraries of this process, loaded once; or the reason why there are none.
 *
 * <p>First the driver, which costs one failed look-up where there is none; then cuBLAS, cuSOLVER and NVRTC of one CUDA
 * version, so that the bindings find them loaded; then the bindings. {@value #LIBRARIES} or GRAMIAN_CUDA_LIBRARIES name
 * the only directories to look in, also for the driver if one of them holds it, or {@code none}.
 */
final class CudaPlatform {
    static final String LIBRARIES = "gramian.cuda.libraries";
    static final String LIBRARIES_VARIABLE = "GRAMIAN_CUDA_LIBRARIES";

    private static final String NONE = "none";

    private String reason;
    private CudaDriver driver;
    private CudaLibraries libraries;
    private PrivateDirectory kernels;
    private PrivateDirectory bindings;

    private static final class Shared {
        static final CudaPlatform INSTANCE = new CudaPlatform();
    }

    private CudaPlatform() {
        try {
            load();
        } catch (NativeException e) {
            reason = e.getMessage();
        } catch (IOException | RuntimeException | LinkageError e) {
            reason = e.toString();
        }
    }

    /** Loads everything on the first call. */
    static CudaPlatform get() {
        return Shared.INSTANCE;
    }

    private void load() throws IOException {
        String os = System.getProperty("os.name", "");
        String arch = System.getProperty("os.arch", "");
        if (!os.equals("Linux") || !arch.equals("amd64") && !arch.equals("x86_64")) {
            throw new NativeException("CUDA is used on Linux with x86-64 processors only; this is "
                    + os.toLowerCase(Locale.ROOT) + "/" + arch);
        }
        String origin = LIBRARIES;
        String configured = System.getProperty(LIBRARIES);
        if (configured == null || configured.isBlank()) {
            origin = LIBRARIES_VARIABLE;
            configured = System.getenv(LIBRARIES_VARIABLE);
        }
        boolean named = configured != null && !configured.isBlank();
        if (named && configured.strip().equals(NONE)) {
            throw new NativeException("switched off by " + LIBRARIES + "=none or " + LIBRARIES_VARIABLE);
        }
        List<Place> places = named ? LibraryPlaces.named(configured, origin) : List.of();
        if (named && places.isEmpty()) {
            throw new NativeException(origin + " names no directory that exists; it is " + configured);
        }
        Path root = Path.of("/");
        driver = new CudaDriver(places.stream().map(Place::directory).toList(),
                new DriverTrouble(root, System::getenv));
        if (!named) {
            places = LibraryPlaces.of(root, System::getenv, Path.of(System.getProperty("user.home", "/")), beside());
        }
        int best = driver.cards().stream().mapToInt(CudaDriver.Card::capability).max().orElseThrow();
        libraries = CudaLibraries.choose(places, driver.version(), best);
        for (CudaLibraries.Found f : libraries.inOrder()) {
            String error = Loader.open(f.file().toString());
            if (error != null) {
                throw new NativeException(f.name() + " cannot be loaded: " + error);
            }
        }
        Functions.check("libcuda", driver.symbols(), driver.file(), "install a newer driver");
        for (String name : CudaLibraries.names(libraries.major())) {
            Path file = libraries.get(name).file();
            Functions.check(name.replaceFirst("\\.so.*", ""), SymbolLookup.libraryLookup(file, Arena.global()),
                    file.toString(), "install another CUDA " + libraries.major());
        }
        kernels = PrivateDirectory.of(PrivateDirectory.cacheRoot(), "cuda");
        bindings = PrivateDirectory.of(PrivateDirectory.cacheRoot(), "jcuda");
        JCudaNatives.load(libraries.major(), bindings);
    }

    /** The directory cuda-libraries beside our jar or, in a build, beside the classes; null where code has no place. */
    private static Path beside() {
        CodeSource source = CudaPlatform.class.getProtectionDomain().getCodeSource();
        try {
            return source == null || source.getLocation() == null
                    ? null
                    : Path.of(source.getLocation().toURI()).resolveSibling("cuda-libraries");
        } catch (URISyntaxException | RuntimeException e) {
            return null;
        }
    }

    /** Null where CUDA can be used: driver, a card, cuBLAS, cuSOLVER and NVRTC with their bindings all loaded. */
    String reason() {
        return reason;
    }

    /** Cards, 0 where CUDA cannot be used. */
    int deviceCount() {
        return reason == null ? driver.cards().size() : 0;
    }

    /** The driver library's functions. */
    SymbolLookup driver() {
        return loaded().symbols();
    }

    /** CUDA major version of the libraries loaded: 12 or 13. */
    int major() {
        loaded();
        return libraries.major();
    }

    /** Whether the bindings were rewritten for a CUDA version that they were not made for. */
    boolean retargeted() {
        return major() != CudaLibraries.MAJORS.getFirst();
    }

    /** True for the stand-in that tests run on. */
    boolean emulated() {
        return driver != null && driver.emulated();
    }

    /** Directory of this user alone for compiled kernels. */
    Path cache() {
        loaded();
        return kernels.path();
    }

    private CudaDriver loaded() {
        if (reason != null) {
            throw new NativeException("cuda: not usable; " + reason);
        }
        return driver;
    }

    /** What was found, step by step as far as it came, one line each. */
    List<String> diagnosis() {
        return new CudaDiagnosis(reason, driver, libraries, bindings, kernels).lines();
    }
}
