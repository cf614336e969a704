package dev.gramian.cuda;

import dev.gramian.core.Bytes;
import dev.gramian.natives.PrivateDirectory;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What {@code gramian devices} says about CUDA: driver, cards, libraries, bindings, as far as loading came. */
final class CudaDiagnosis {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

    private final String reason;
    private final CudaDriver driver;
    private final CudaLibraries libraries;
    private final PrivateDirectory bindings;
    private final PrivateDirectory kernels;
    private final List<String> lines = new ArrayList<>();

    /** Null is what was not reached. */
    CudaDiagnosis(String reason, CudaDriver driver, CudaLibraries libraries, PrivateDirectory bindings,
            PrivateDirectory kernels) {
        this.reason = reason;
        this.driver = driver;
        this.libraries = libraries;
        this.bindings = bindings;
        this.kernels = kernels;
    }

    List<String> lines() {
        if (driver != null) {
            driver();
        }
        if (libraries != null) {
            libraries();
        }
        if (reason == null) {
            line("bindings", "JCuda" + (libraries.major() == CudaLibraries.MAJORS.getFirst()
                    ? ""
                    : ", made for CUDA " + CudaLibraries.MAJORS.getFirst() + ", rewritten for CUDA "
                            + libraries.major())
                    + "; in " + place(bindings));
            line("kernels", "kept in " + place(kernels));
        } else {
            // one hint a line
            String[] parts = reason.split("; ");
            line("problem", parts[0]);
            for (int i = 1; i < parts.length; i++) {
                line("", parts[i]);
            }
        }
        return List.copyOf(lines);
    }

    private void line(String what, String text) {
        lines.add(String.format("%-9s  %s", what, text));
    }

    private void driver() {
        String module = new DriverTrouble(Path.of("/"), System::getenv).moduleVersion();
        line("driver", (driver.emulated() ? "emulated, for tests" : module == null ? "version unknown" : module)
                + ", supports CUDA " + CudaLibraries.version(driver.version()) + "; " + driver.file());
        List<CudaDriver.Card> cards = driver.cards();
        for (int i = 0; i < cards.size(); i++) {
            CudaDriver.Card c = cards.get(i);
            long free = driver.freeBytes(i);
            line("card " + i, c.name() + ", compute capability " + decimal(c.capability()) + ", " + c.multiprocessors()
                    + " multiprocessors, " + Bytes.text(c.bytes()) + " memory"
                    + (free < 0 ? ", not open to this process: see nvidia-smi" : ", " + Bytes.text(free) + " free")
                    + compiledFor(c));
        }
    }

    private String compiledFor(CudaDriver.Card card) {
        if (reason != null) {
            return "";
        }
        try {
            return ", kernels for " + Kernels.architecture(card.name(), card.capability());
        } catch (RuntimeException | LinkageError e) {
            return ", not usable: " + e.getMessage();
        }
    }

    private void libraries() {
        String what = "CUDA " + libraries.major();
        for (CudaLibraries.Found f : libraries.inOrder()) {
            line(what, f.name() + version(f) + "  " + f.file() + " (" + f.place().origin() + ")");
            what = "";
        }
        for (String r : libraries.refused()) {
            line("not used", r);
        }
    }

    private static String place(PrivateDirectory d) {
        return d.path() + (d.detour() == null ? "" : ", for this process only: " + d.detour());
    }

    private static String decimal(int tens) {
        return tens / 10 + "." + tens % 10;
    }

    /** The library's own word where it has one that needs no card. */
    private static String version(CudaLibraries.Found f) {
        SymbolLookup symbols = SymbolLookup.libraryLookup(f.file(), Arena.global());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(12);
            int parts = 0;
            if (f.name().startsWith("libnvrtc.")) {
                parts = symbols.find("nvrtcVersion").isPresent()
                        && call(symbols, "nvrtcVersion", out, out.asSlice(4)) == 0 ? 2 : 0;
            } else {
                String function = f.name().startsWith("libcublas.")
                        ? "cublasGetProperty"
                        : f.name().startsWith("libcusolver.") ? "cusolverGetProperty" : null;
                if (function != null && symbols.find(function).isPresent()) {
                    while (parts < 3 && property(symbols, function, parts, out.asSlice(4L * parts)) == 0) {
                        parts++;
                    }
                }
            }
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < parts; i++) {
                text.append(i == 0 ? " " : ".").append(out.getAtIndex(INT, i));
            }
            return text.toString();
        } catch (Throwable t) {
            return "";
        }
    }

    private static int call(SymbolLookup symbols, String function, MemorySegment a, MemorySegment b) throws Throwable {
        return (int) Linker.nativeLinker().downcallHandle(symbols.findOrThrow(function),
                FunctionDescriptor.of(INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS)).invokeExact(a, b);
    }

    private static int property(SymbolLookup symbols, String function, int which, MemorySegment out) throws Throwable {
        return (int) Linker.nativeLinker().downcallHandle(symbols.findOrThrow(function),
                FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS)).invokeExact(which, out);
    }
}
