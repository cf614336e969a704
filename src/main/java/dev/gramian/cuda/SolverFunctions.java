package dev.gramian.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Functions of cuSOLVER that JCusolverDn declares but cannot call, by java.lang.foreign in the library that it has loaded. It
 * reads the long[] of results and of pivots as if they were Pointer objects, in every function of 64-bit sizes that asks for
 * workspace and in Xgetrf and Xgetrs; and it creates a gesvdjInfo where the object's own pointer, which is null, points to.
 *
 * <p>An argument's C type follows its Java type: Integer int and enums, Long int64_t, size_t and addresses, Byte char. Boxing and
 * spreading cost a microsecond, against hundreds that any of these functions takes.
 */
final class SolverFunctions {
    /** In a class of its own: it must not be looked up before the library is loaded. */
    private static final class Library {
        static final SymbolLookup SYMBOLS = SymbolLookup
                .libraryLookup("libcusolver.so." + (CudaPlatform.get().major() - 1), Arena.global());
    }

    private static final Map<String, MethodHandle> HANDLES = new ConcurrentHashMap<>();

    private SolverFunctions() {}

    /** Calls it and checks the status; {@code what} as in {@link Status}. */
    static void call(String function, String what, Object... arguments) {
        int status;
        try {
            status = (int) HANDLES.computeIfAbsent(function, f -> find(f, arguments)).invokeWithArguments(arguments);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
        Status.solver(status, what);
    }

    private static MethodHandle find(String function, Object[] arguments) {
        MemoryLayout[] types = Arrays.stream(arguments).map(SolverFunctions::type).toArray(MemoryLayout[]::new);
        return Linker.nativeLinker().downcallHandle(Library.SYMBOLS.findOrThrow(function),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, types));
    }

    private static MemoryLayout type(Object argument) {
        return switch (argument) {
            case Integer i -> ValueLayout.JAVA_INT;
            case Long l -> ValueLayout.JAVA_LONG;
            case Byte b -> ValueLayout.JAVA_BYTE;
            default -> throw new IllegalArgumentException(argument.getClass().getName());
        };
    }
}
