package dev.gramian.natives;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** The system's loader of shared libraries, with the message that java.lang.foreign keeps to itself. */
public final class Loader {
    private static final int RTLD_NOW = 2;

    /** Made before the first call: making a handle asks the loader itself, which forgets its last message by that. */
    private static final MethodHandle DLOPEN = handle("dlopen",
            FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
    private static final MethodHandle DLERROR = handle("dlerror", FunctionDescriptor.of(ValueLayout.ADDRESS));

    private Loader() {}

    private static MethodHandle handle(String function, FunctionDescriptor type) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(function), type);
    }

    /**
     * Loads a library by name or path for the life of the process; null, or the system's message. Libraries loaded later
     * find it by its SONAME, wherever its file is.
     */
    public static String open(String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = (MemorySegment) DLOPEN.invokeExact(arena.allocateFrom(name), RTLD_NOW);
            if (handle.address() != 0) {
                return null;
            }
            MemorySegment message = (MemorySegment) DLERROR.invokeExact();
            return message.address() == 0
                    ? name + " cannot be loaded"
                    : message.reinterpret(4096).getString(0);
        } catch (Throwable t) {
            return name + " cannot be loaded: " + t;
        }
    }
}
