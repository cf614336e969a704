package dev.gramian.cuda;

import dev.gramian.core.NativeException;
import dev.gramian.natives.ElfFile;
import dev.gramian.natives.PrivateDirectory;
import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.function.Function;

/**
 * JCuda's native halves: copied from the class path into a private directory, rewritten for CUDA 13 where that is what
 * the machine has, and loaded from there by JCuda's classes.
 *
 * <p>JCuda's own loader takes any file of the right name from java.library.path or the temporary directory, where on a
 * shared machine anyone can put one, and has no natives for CUDA 13. So its one class that asks for a library,
 * {@code jcuda.LibUtilsCuda}, is defined here before JCuda's jar can, and asks this class.
 */
final class JCudaNatives {
    /** Classes whose initialisation loads the natives that the backend calls. */
    private static final Map<String, String> CLASSES = new java.util.LinkedHashMap<>();

    static {
        CLASSES.put("jcuda.driver.JCudaDriver", "the driver");
        CLASSES.put("jcuda.jcublas.JCublas2", "cuBLAS");
        CLASSES.put("jcuda.jcusolver.JCusolverDn", "cuSOLVER");
        CLASSES.put("jcuda.nvrtc.JNvrtc", "NVRTC");
    }

    private static final ClassDesc LOADER = ClassDesc.of("jcuda.LibUtilsCuda");
    private static final ClassDesc FUNCTION = ClassDesc.of("java.util.function.Function");
    private static final String FIELD = "locate";

    private JCudaNatives() {}

    /** Loads the natives for that CUDA version from {@code directory}; {@link NativeException} with what failed. */
    static void load(int major, PrivateDirectory directory) {
        ClassLoader loader = JCudaNatives.class.getClassLoader();
        takeOver(name -> locate(loader, name, major, directory).toString());
        for (Map.Entry<String, String> e : CLASSES.entrySet()) {
            try {
                Class.forName(e.getKey(), true, loader);
            } catch (ClassNotFoundException | LinkageError | RuntimeException error) {
                throw new NativeException("JCuda's binding of " + e.getValue() + " cannot be loaded: "
                        + text(error), error);
            }
        }
    }

    /** The first cause's first line. */
    private static String text(Throwable error) {
        Throwable root = error;
        while (root.getCause() != null && root.getCause() != root) {
            root = root.getCause();
        }
        String message = root.getMessage() == null ? root.toString() : root.getMessage();
        if (root instanceof ClassNotFoundException || root instanceof NoClassDefFoundError) {
            message = "class " + message + " is not on the class path";
        }
        return message.strip().replaceFirst("(?s)\\R.*", "");
    }

    // ---- JCuda's loader ----------------------------------------------------------------------------------------------

    /** Defines JCuda's class of that name: {@code loadLibrary(name, ...)} is {@code System.load(locate.apply(name))}. */
    private static void takeOver(Function<String, String> locate) {
        ClassDesc system = ClassDesc.of("java.lang.System");
        byte[] code = ClassFile.of().build(LOADER, c -> c
                .withFlags(ClassFile.ACC_PUBLIC | ClassFile.ACC_FINAL | ClassFile.ACC_SUPER)
                .withField(FIELD, FUNCTION, ClassFile.ACC_STATIC | ClassFile.ACC_VOLATILE)
                .withMethodBody("loadLibrary",
                        MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_String,
                                ConstantDescs.CD_String.arrayType()),
                        ClassFile.ACC_PUBLIC | ClassFile.ACC_STATIC | ClassFile.ACC_VARARGS,
                        m -> m.getstatic(LOADER, FIELD, FUNCTION)
                                .aload(0)
                                .invokeinterface(FUNCTION, "apply",
                                        MethodTypeDesc.of(ConstantDescs.CD_Object, ConstantDescs.CD_Object))
                                .checkcast(ConstantDescs.CD_String)
                                .invokestatic(system, "load",
                                        MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_String))
                                .return_()));
        try {
            // a class of the package that loads no library
            MethodHandles.Lookup lookup = MethodHandles.privateLookupIn(jcuda.CudaException.class,
                    MethodHandles.lookup());
            Class<?> defined = lookup.defineClass(code);
            lookup.findStaticVarHandle(defined, FIELD, Function.class).set(locate);
        } catch (LinkageError e) {
            throw new NativeException(e instanceof NoClassDefFoundError
                    ? "JCuda is not on the class path; add org.jcuda:jcuda, jcublas and jcusolver"
                    : "JCuda was used in this process before Gramian looked for a card, and has loaded its natives its "
                            + "own way; call Device.best() or Device.of(\"cuda\") first: " + e.getMessage(),
                    e);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    // ---- files -------------------------------------------------------------------------------------------------------

    /** The file of a library such as {@code JCublas2-12.6.0-linux-x86_64}, made if it is not there yet. */
    private static Path locate(ClassLoader loader, String name, int major, PrivateDirectory directory) {
        String resource = "lib/lib" + name + ".so";
        try (InputStream in = loader.getResourceAsStream(resource)) {
            if (in == null) {
                throw new UnsatisfiedLinkError("no " + resource + " on the class path; add JCuda's natives jar of that "
                        + "name with classifier linux-x86_64");
            }
            byte[] content = in.readAllBytes();
            if (major != 12) {
                content = ElfFile.of(resource, content).renamed(renames(major));
            }
            // named by its content, so that versions lie side by side and a file is never changed under a process
            return directory.put("lib" + name + "-" + hash(content) + ".so", content);
        } catch (IOException e) {
            throw new NativeException("JCuda's " + resource + " cannot be copied to " + directory.path() + ": " + e, e);
        }
    }

    /** What CUDA 12 calls its libraries, for which the natives are made, and that CUDA version. */
    private static Map<String, String> renames(int major) {
        Map<String, String> names = new HashMap<>();
        for (int i = 0; i < CudaLibraries.names(major).size(); i++) {
            names.put(CudaLibraries.names(12).get(i), CudaLibraries.names(major).get(i));
        }
        return names;
    }

    private static String hash(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
