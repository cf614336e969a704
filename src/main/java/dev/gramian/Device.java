package dev.gramian;

import dev.gramian.core.Backend;
import dev.gramian.core.DType;
import dev.gramian.core.DeviceException;
import dev.gramian.core.GramianException;
import dev.gramian.core.MathMode;
import dev.gramian.core.Profile;
import dev.gramian.core.Roofline;
import dev.gramian.cpu.CpuBackend;
import dev.gramian.cpu.CpuPath;
import dev.gramian.cuda.CudaBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Where tensors live and operations run. A device that cannot be used is a value too, with the reason why.
 *
 * <p>The CPU is three devices, one per way of computing: {@code cpu:native} (OpenBLAS), {@code cpu:vector} (Java's Vector
 * API) and {@code cpu:scalar} (plain Java); {@code cpu} means the first of them that works, or the one that the property
 * {@code gramian.cpu} names. Every NVIDIA card is a device, {@code cuda:0} and up; {@code cuda} means the first. CUDA is
 * looked for when a device is first asked for that may be one: never by those who only name CPU devices.
 */
public final class Device {
    private static final String CPU_PROPERTY = "gramian.cpu";
    private static final Device NATIVE = cpu("cpu:native", CpuPath.NATIVE);
    private static final Device VECTOR = cpu("cpu:vector", CpuPath.VECTOR);
    private static final Device SCALAR = cpu("cpu:scalar", CpuPath.SCALAR);

    /** One device per card, or {@code cuda:0} with the reason why there is none; looking for them loads the driver. */
    private static final class Cards {
        static final List<Device> ALL = IntStream.range(0, Math.max(1, CudaBackend.count()))
                .mapToObj(i -> new Device("cuda:" + i, CudaBackend::missing, () -> CudaBackend.of(i))).toList();
    }

    private final String name;
    private final Supplier<String> missing;
    private final Supplier<Backend> make;
    private volatile Backend backend;
    private volatile String reason;

    /** {@code missing} says why {@code make} cannot be called, or null. */
    private Device(String name, Supplier<String> missing, Supplier<Backend> make) {
        this.name = name;
        this.missing = missing;
        this.make = make;
    }

    private static Device cpu(String name, CpuPath path) {
        return new Device(name, () -> CpuBackend.missing(path), () -> new CpuBackend(name, path));
    }

    /** The CPU: native if it loads, else vector, else scalar; {@code -Dgramian.cpu=vector} and the like decide instead. */
    public static Device cpu() {
        String wish = System.getProperty(CPU_PROPERTY);
        if (wish != null && !wish.isBlank()) {
            return named("cpu:" + wish.strip().toLowerCase(Locale.ROOT),
                    "property " + CPU_PROPERTY + " is '" + wish + "'");
        }
        return NATIVE.isAvailable() ? NATIVE : VECTOR.isAvailable() ? VECTOR : SCALAR;
    }

    /**
     * The device of that name: {@code cpu}, {@code cpu:native}, {@code cpu:vector}, {@code cpu:scalar}, {@code cuda},
     * {@code cuda:0} and so on, or {@code auto} for {@link #best}. It may be unavailable: {@link #reason} tells.
     */
    public static Device of(String name) {
        return switch (name.strip().toLowerCase(Locale.ROOT)) {
            case "auto" -> best();
            case "cpu" -> cpu();
            case "cuda" -> Cards.ALL.getFirst();
            default -> named(name.strip().toLowerCase(Locale.ROOT), "'" + name + "'");
        };
    }

    private static Device named(String name, String given) {
        boolean cuda = name.matches("cuda:\\d+");
        for (Device d : cuda ? Cards.ALL : List.of(NATIVE, VECTOR, SCALAR)) {
            if (d.name.equals(name)) {
                return d;
            }
        }
        if (!cuda) {
            throw new DeviceException("device: no such device; " + given
                    + "; use auto, cpu, cpu:native, cpu:vector, cpu:scalar, cuda or cuda:N");
        }
        int cards = CudaBackend.count();
        throw new DeviceException("device: no such card; " + given + "; " + (cards == 0
                ? "CUDA cannot be used: " + CudaBackend.missing()
                : cards == 1 ? "there is 1 card, cuda:0" : "there are " + cards + ", cuda:0 to cuda:" + (cards - 1)));
    }

    /** The fastest device that works: the first NVIDIA card that does, else {@link #cpu}. */
    public static Device best() {
        for (Device card : Cards.ALL) {
            if (card.isAvailable() && !CudaBackend.emulated()) {
                return card;
            }
        }
        return cpu();
    }

    /** Every device of this machine, and those that cannot be used with the reason why. */
    public static List<Device> all() {
        List<Device> devices = new ArrayList<>(List.of(NATIVE, VECTOR, SCALAR));
        devices.addAll(Cards.ALL);
        return devices;
    }

    /** What was found of CUDA: driver, cards and libraries, or how far it came and what to do; a line each. */
    public static List<String> diagnosis() {
        return CudaBackend.diagnosis();
    }

    public String name() {
        return name;
    }

    public boolean isAvailable() {
        return reason() == null;
    }

    /** Why the device cannot be used, or null if it can. */
    public String reason() {
        load();
        return reason;
    }

    /** One line: libraries, threads and memory, or why the device is unavailable. */
    public String description() {
        return isAvailable() ? backend.describe() : "unavailable: " + reason;
    }

    private void load() {
        if (backend != null || reason != null) {
            return;
        }
        synchronized (this) {
            if (backend == null && reason == null) {
                String why = missing.get();
                if (why == null) {
                    try {
                        backend = make.get();
                    } catch (GramianException | LinkageError e) {
                        // a card that another process has for itself, say
                        why = e.getMessage();
                    }
                }
                reason = why;
            }
        }
    }

    Backend backend() {
        if (reason() != null) {
            throw new DeviceException(name + " unavailable: " + reason + "; use device cpu");
        }
        return backend;
    }

    /** How the device likes work to be cut. */
    public Profile profile() {
        return backend().profile();
    }

    /**
     * What the device reaches at most in the arithmetic of a type; half types compute in F32. Measures for some seconds, the first time.
     */
    public Roofline roofline(DType type) {
        return backend().roofline(type);
    }

    /** Opens a scope on the calling thread, products in full precision. */
    public Scope open() {
        return open(MathMode.IEEE);
    }

    /** Opens a scope on the calling thread; see {@link MathMode} for what products may trade. */
    public Scope open(MathMode mode) {
        return new Scope(this, mode);
    }

    /**
     * Waits until the device has done everything asked of it, on any thread; failures of it show here. Reading values waits
     * by itself: this is for taking times, since on CUDA operations return before they are done.
     */
    public void synchronize() {
        backend().synchronize();
    }

    /** Bytes that open scopes of this device hold. */
    public long liveBytes() {
        return isAvailable() ? backend.liveBytes() : 0;
    }

    /** Largest {@link #liveBytes} since the start or {@link #resetPeak}. */
    public long peakBytes() {
        return isAvailable() ? backend.peakBytes() : 0;
    }

    /** Sets {@link #peakBytes} back to what is live now. */
    public void resetPeak() {
        if (isAvailable()) {
            backend.resetPeak();
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
