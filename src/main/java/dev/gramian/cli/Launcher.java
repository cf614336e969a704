package dev.gramian.cli;

import java.lang.module.ModuleFinder;
import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;

/**
 * First class of {@code bin/gramian}: loads the vector module, then hands over to the class named by the first argument.
 *
 * <p>{@code --add-modules jdk.incubator.vector} makes every start print a warning that no flag turns off: the boot layer
 * writes it. The JDK's own late loading (the way agents get modules that are not in the boot layer) defines the same module
 * in the same boot loader and prints nothing. The compiler's vector support is then asked for by
 * {@code -XX:+EnableVectorSupport}, which the JVM otherwise sets when it sees the option. Filtering the line out of the
 * error stream would hide the terminal from the program.
 */
final class Launcher {
    private static final String VECTOR = "jdk.incubator.vector";

    private Launcher() {}

    public static void main(String[] args) throws Throwable {
        if (ModuleFinder.ofSystem().find(VECTOR).isPresent()) {
            loadVectorModule();
        }
        String[] rest = Arrays.copyOfRange(args, 1, args.length);
        try {
            Class.forName(args[0]).getMethod("main", String[].class).invoke(null, (Object) rest);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private static void loadVectorModule() {
        try {
            Class.forName("jdk.internal.module.Modules")
                    .getMethod("loadModule", String.class)
                    .invoke(null, VECTOR);
        } catch (ReflectiveOperationException e) {
            System.err.println("gramian: " + VECTOR + " could not be loaded (" + e
                    + "); set GRAMIAN_JAVA_OPTIONS=\"--add-modules " + VECTOR + "\" for full speed on the CPU");
        }
    }
}
