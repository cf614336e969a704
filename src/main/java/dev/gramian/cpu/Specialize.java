package dev.gramian.cpu;

import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * Makes copies of a loop class, each with its own constant: a hidden class from the template's bytes, whose static finals
 * come from class data. The JIT compiles every copy alone, so a loop stays as fast after fifty functions have run through
 * its siblings as it was before; one shared loop turns megamorphic and boxes its vectors.
 */
final class Specialize {
    private Specialize() {}

    /** A new copy of {@code template}, whose constant is {@code data}; the template needs a constructor without arguments. */
    static Object copy(Class<?> template, Object data) {
        try (InputStream in = template.getResourceAsStream(template.getSimpleName() + ".class")) {
            MethodHandles.Lookup copy = MethodHandles.lookup().defineHiddenClassWithClassData(in.readAllBytes(), data,
                    true);
            return copy.findConstructor(copy.lookupClass(), MethodType.methodType(void.class))
                    .invoke();
        } catch (IOException e) {
            throw new IllegalStateException("kernel class " + template.getName() + " could not be read", e);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new IllegalStateException(t);
        }
    }

    /** The constant of the copy that {@code lookup} belongs to. */
    static <T> T data(MethodHandles.Lookup lookup, Class<T> type) {
        try {
            return MethodHandles.classData(lookup, "_", type);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }
}
