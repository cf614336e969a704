package dev.gramian.cuda;

import dev.gramian.core.NativeException;
import dev.gramian.cuda.LibraryPlaces.Place;
import dev.gramian.natives.ElfFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** The libraries of one CUDA version on this machine: cuBLAS, cuSOLVER and NVRTC with what they need. */
final class CudaLibraries {
    /** Newest last. The bindings are made for the first; for the second they are rewritten. */
    static final List<Integer> MAJORS = List.of(12, 13);

    /** A library file and the place it is from. */
    record Found(String name, Path file, Place place) {}

    private final int major;
    private final List<Place> places;
    private final Map<String, Found> found = new LinkedHashMap<>();
    private final Set<String> asked = new HashSet<>();
    private final List<String> missing = new ArrayList<>();
    private final List<String> refused = new ArrayList<>();

    private CudaLibraries(int major, List<Place> places) {
        this.major = major;
        this.places = places;
        for (String name : names(major)) {
            if (find(name, null) == null) {
                missing.add(name);
            }
        }
    }

    /** SONAMEs of what the bindings call: cuBLAS, cuSOLVER, its part for several cards, NVRTC. */
    static List<String> names(int major) {
        return List.of("libcublas.so." + major, "libcusolver.so." + (major - 1), "libcusolverMg.so." + (major - 1),
                "libnvrtc.so." + major);
    }

    /**
     * The libraries to load, or a {@link NativeException} that says what is missing and where it was looked for.
     *
     * @param driver    the CUDA version the driver supports, as 1000 · major + 10 · minor
     * @param capability compute capability of the best card, times ten
     */
    static CudaLibraries choose(List<Place> places, int driver, int capability) {
        List<CudaLibraries> sets = MAJORS.stream().map(m -> new CudaLibraries(m, places)).toList();
        List<CudaLibraries> complete = sets.stream().filter(s -> s.missing.isEmpty()).toList();
        CudaLibraries best = null;
        for (CudaLibraries s : complete) {
            if (s.obstacle(driver, capability) == null && (best == null || s.rank() < best.rank())) {
                best = s;
            }
        }
        if (best != null) {
            return best;
        }
        throw new NativeException(complete.isEmpty()
                ? incomplete(sets, driver, capability)
                : complete.stream().map(s -> s.obstacle(driver, capability)).collect(Collectors.joining("; ")));
    }

    /** Where cuBLAS was found in the order of places: earlier places are nearer to what the user asked for. */
    private int rank() {
        return places.indexOf(found.get(names(major).getFirst()).place);
    }

    /** Why this version cannot be used with that driver and card, or null. */
    private String obstacle(int driver, int capability) {
        Found blas = found.get(names(major).getFirst());
        String what = "the libraries found are CUDA " + major + "'s (" + blas.file + ")";
        if (driver < 1000 * major) {
            return what + ", the driver supports CUDA " + version(driver) + " at most; install a driver of the "
                    + driverFor(major) + " series or newer, or the libraries of CUDA " + driver / 1000;
        }
        int least = major >= 13 ? 75 : 50;
        if (capability < least) {
            return what + ", which need compute capability " + least / 10 + "." + least % 10 + "; the card has "
                    + capability / 10 + "." + capability % 10
                    + (capability >= 50 ? "; install the libraries of CUDA 12" : " and is too old for CUDA 12 and 13");
        }
        return null;
    }

    /** First driver series of a CUDA major version. */
    static int driverFor(int major) {
        return major == 12 ? 525 : 580;
    }

    static String version(int v) {
        return v / 1000 + "." + v % 1000 / 10;
    }

    private static String incomplete(List<CudaLibraries> sets, int driver, int capability) {
        CudaLibraries nearest = sets.getFirst();
        for (CudaLibraries s : sets) {
            if (s.missing.size() < nearest.missing.size()) {
                nearest = s;
            }
        }
        boolean nothing = nearest.found.isEmpty();
        int wanted = nothing ? driver >= 13000 && capability >= 75 ? 13 : 12 : nearest.major;
        StringBuilder text = new StringBuilder();
        if (nothing) {
            text.append("no CUDA libraries: cuBLAS, cuSOLVER and NVRTC of CUDA 12 or 13 not found");
        } else {
            text.append("CUDA ").append(wanted).append(" is incomplete: ")
                    .append(String.join(", ", nearest.missing)).append(" not found; there is ")
                    .append(nearest.found.values().stream().map(f -> f.file.toString())
                            .collect(Collectors.joining(", ")));
        }
        List<String> refused = sets.stream().flatMap(s -> s.refused.stream()).distinct().toList();
        if (!refused.isEmpty()) {
            text.append("; not usable: ").append(String.join("; ", refused));
        }
        List<Place> places = nearest.places;
        text.append("; looked in ").append(places.isEmpty()
                ? "no directory that exists"
                : places.stream().map(p -> p.directory().toString()).collect(Collectors.joining(", ")));
        return text.append("; install the CUDA toolkit ").append(wanted).append(", or for Python's pip ")
                .append(packages(wanted)).append(", or name the directories with -D").append(CudaPlatform.LIBRARIES)
                .append("=DIR:DIR").toString();
    }

    private static String packages(int major) {
        return major == 12
                ? "nvidia-cublas-cu12 nvidia-cusolver-cu12 nvidia-cuda-nvrtc-cu12"
                : "nvidia-cublas nvidia-cusolver nvidia-cuda-nvrtc";
    }

    int major() {
        return major;
    }

    /** In an order in which each finds what it needs loaded. */
    List<Found> inOrder() {
        return List.copyOf(found.values());
    }

    Found get(String name) {
        return found.get(name);
    }

    /** Found files that are no libraries for this machine. */
    List<String> refused() {
        return List.copyOf(refused);
    }

    /** The library of that name, what it needs of CUDA before it; null where there is none. */
    private Found find(String name, Place near) {
        Found known = found.get(name);
        if (known != null || !asked.add(name)) {
            return known;
        }
        List<Place> order = new ArrayList<>(places);
        if (near != null) {
            // of two versions on a machine those of one directory belong together
            order.addFirst(near);
        }
        for (Place p : order) {
            Path file = p.directory().resolve(name);
            if (Files.exists(file)) {
                ElfFile elf = read(file, name);
                if (elf != null) {
                    for (String needed : elf.needed()) {
                        if (isCuda(needed)) {
                            find(needed, p);
                        }
                    }
                    if (name.startsWith("libnvrtc.")) {
                        findBuiltins(p);
                    }
                    Found f = new Found(name, file, p);
                    found.put(name, f);
                    return f;
                }
            }
        }
        return null;
    }

    /** NVRTC asks for this one, named by the minor version, only when it compiles, and not all copies know where it is. */
    private void findBuiltins(Place p) {
        for (Path file : LibraryPlaces.expand(p.directory(), "libnvrtc-builtins.so." + major + ".*")) {
            String name = file.getFileName().toString();
            // beside it lies libnvrtc-builtins.so.12.6.85, the same file
            if (name.matches(".*\\.so\\.\\d+\\.\\d+") && read(file, name) != null) {
                found.put(name, new Found(name, file, p));
            }
        }
    }

    private ElfFile read(Path file, String name) {
        String why;
        try {
            ElfFile elf = ElfFile.read(file);
            if (elf.machine() != ElfFile.X86_64) {
                why = file + ": for another processor (ELF machine " + elf.machine() + ")";
            } else if (!name.equals(elf.soname())) {
                why = file + ": is " + elf.soname() + " inside";
            } else {
                return elf;
            }
        } catch (NativeException e) {
            why = e.getMessage();
        }
        if (!refused.contains(why)) {
            refused.add(why);
        }
        return null;
    }

    private static boolean isCuda(String name) {
        return (name.startsWith("libcu") || name.startsWith("libnv")) && !name.startsWith("libcuda.so");
    }
}
