package dev.gramian;

import dev.gramian.core.Backend;
import dev.gramian.core.DeviceException;
import dev.gramian.core.MathMode;
import dev.gramian.core.Profile;
import dev.gramian.cpu.CpuBackend;
import dev.gramian.cpu.CpuPath;
import dev.gramian.cuda.CudaBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Where tensors live and operations run. A device that cannot be used is a value too, with the reason why.
 *
 * <p>The CPU is three devices, one per way of computing: {@code cpu:native} (OpenBLAS), {@code cpu:vector} (Java's Vector
 * API) and {@code cpu:scalar} (plain Java); {@code cpu} means the first of them that works, or the one that the property
 * {@code gramian.cpu} names.
 */
public final class Device {
    private static final String CPU_PROPERTY = "gramian.cpu";
    private static final Device NATIVE = new Device("cpu:native", CpuPath.NATIVE);
    private static final Device VECTOR = new Device("cpu:vector", CpuPath.VECTOR);
    private static final Device SCALAR = new Device("cpu:scalar", CpuPath.SCALAR);
    private static final Device CUDA = new Device("cuda:0", null);

    private final String name;
    private final CpuPath path;
    private volatile Backend backend;
    private volatile String reason;

    private Device(String name, CpuPath path) {
        this.name = name;
        this.path = path;
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
     * The device of that name: {@code cpu}, {@code cpu:native}, {@code cpu:vector}, {@code cpu:scalar}, {@code cuda:0}, or
     * {@code auto} for {@link #best}. It may be unavailable: {@link #reason} tells.
     */
    public static Device of(String name) {
        return switch (name.strip().toLowerCase(Locale.ROOT)) {
            case "auto" -> best();
            case "cpu" -> cpu();
            case "cuda" -> CUDA;
            default -> named(name.strip().toLowerCase(Locale.ROOT), "'" + name + "'");
        };
    }

    private static Device named(String name, String given) {
        for (Device d : all()) {
            if (d.name.equals(name)) {
                return d;
            }
        }
        throw new DeviceException("device: no such device; " + given
                + "; use auto, cpu, cpu:native, cpu:vector, cpu:scalar or cuda:0");
    }

    /** The fastest device that works: a GPU if there is one, else {@link #cpu}. */
    public static Device best() {
        return CUDA.isAvailable() ? CUDA : cpu();
    }

    /** Every device this version knows, available or not. */
    public static List<Device> all() {
        List<Device> devices = new ArrayList<>();
        devices.add(NATIVE);
        devices.add(VECTOR);
        devices.add(SCALAR);
        devices.add(CUDA);
        return devices;
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
                if (path == null) {
                    String missing = CudaBackend.missing();
                    if (missing == null) {
                        backend = CudaBackend.of(0);
                    } else {
                        reason = missing;
                    }
                    return;
                }
                String missing = CpuBackend.missing(path);
                if (missing == null) {
                    backend = new CpuBackend(name, path);
                } else {
                    reason = missing;
                }
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
