package dev.gramian.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.StringViewOptional;
import org.bytedeco.pytorch.T_TensorTensorTensor_T;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * libtorch through its C++ API, in inference mode. With the property peers.natives, the libtorch in that folder is
 * loaded before the bindings ask for the one they bring.
 */
public final class TorchPeer implements Peer {
    /** In force as long as it is reachable. */
    private final InferenceMode inference;

    public TorchPeer() throws IOException {
        String natives = System.getProperty("peers.natives");
        if (natives != null) {
            try (var files = Files.list(Path.of(natives))) {
                List<Path> all = files.toList();
                for (String first : List.of("libgomp", "libc10", "libtorch_cpu", "libtorch.so")) {
                    all.stream().filter(f -> f.getFileName().toString().startsWith(first))
                            .forEach(f -> System.load(f.toString()));
                }
            }
        }
        Loader.load(torch.class);
        List<String> loaded = Files.readAllLines(Path.of("/proc/self/maps")).stream()
                .filter(l -> l.contains("/libtorch_cpu")).map(l -> l.substring(l.indexOf('/'))).distinct().toList();
        if (loaded.size() != 1 || natives != null && !loaded.getFirst().startsWith(natives)) {
            throw new IllegalStateException("libtorch_cpu is not the one expected: " + loaded);
        }
        inference = new InferenceMode(true);
    }

    @Override
    public String version() {
        try (BytePointer config = torch.show_config()) {
            String text = config.getString();
            return "libtorch " + value(text, "TORCH_VERSION") + ", BLAS " + value(text, "BLAS_INFO") + ", LAPACK "
                    + value(text, "LAPACK_INFO") + ", " + value(text, "CPU capability usage: ", "");
        }
    }

    private static String value(String text, String name) {
        return value(text, name, "=");
    }

    private static String value(String text, String name, String separator) {
        int at = text.indexOf(name + separator);
        return at < 0 ? "?" : text.substring(at + name.length() + separator.length()).split("[,\\s]", 2)[0];
    }

    @Override
    public void threads(int count) {
        torch.set_num_threads(count);
    }

    @Override
    public Task task(Work w) {
        List<Pointer> owned = new ArrayList<>();
        List<Tensor> in = new ArrayList<>();
        for (Operand o : w.operands()) {
            FloatPointer p = new FloatPointer(o.size());
            o.pieces((from, values, count) -> p.position(from).put(values, 0, count));
            in.add(torch.from_blob(p.position(0), o.shape()));
            owned.add(in.getLast());
            owned.add(p);
        }
        Supplier<Tensor[]> work = work(w, owned, in.getFirst(), in.size() > 1 ? in.get(1) : null,
                in.size() > 2 ? in.get(2) : null);
        return new Task() {
            @Override
            public void run() {
                try (PointerScope scope = new PointerScope()) {
                    work.get();
                }
            }

            @Override
            public float[][] result() {
                try (PointerScope scope = new PointerScope()) {
                    Tensor[] out = work.get();
                    float[][] values = new float[out.length][];
                    for (int i = 0; i < out.length; i++) {
                        values[i] = new float[Math.toIntExact(out[i].numel())];
                        new FloatPointer(out[i].contiguous().data_ptr()).get(values[i]);
                    }
                    return values;
                }
            }

            @Override
            public void close() {
                owned.forEach(Pointer::close);
            }
        };
    }

    private static <P extends Pointer> P own(List<Pointer> owned, P pointer) {
        owned.add(pointer);
        return pointer;
    }

    private static Supplier<Tensor[]> work(Work w, List<Pointer> owned, Tensor x, Tensor y, Tensor z) {
        TensorOptional none = own(owned, new TensorOptional());
        DoubleOptional usual = own(owned, new DoubleOptional());
        StringViewOptional driver = own(owned, new StringViewOptional());
        return switch (w.kind()) {
            case GEMM, BGEMM -> () -> only(torch.matmul(x, y));
            case ATTENTION, DECODE -> () -> only(
                    torch.scaled_dot_product_attention(x, y, z, none, 0, false, usual, false));
            case CAUSAL -> () -> only(torch.scaled_dot_product_attention(x, y, z, none, 0, true, usual, false));
            case SOFTMAX -> () -> only(torch.softmax(x, -1));
            case LAYERNORM -> {
                TensorOptional weight = own(owned, new TensorOptional(y));
                TensorOptional bias = own(owned, new TensorOptional(z));
                long[] row = {w.size(1)};
                yield () -> only(torch.layer_norm(x, row, weight, bias, 1e-5, false));
            }
            case SVD -> {
                Tensor one = w.size(0) == 1 ? own(owned, x.select(0, 0)) : x;
                yield () -> {
                    T_TensorTensorTensor_T r = torch.linalg_svd(one, false, driver);
                    return new Tensor[] {r.get0(), r.get1(), r.get2()};
                };
            }
            case RANK -> () -> {
                T_TensorTensorTensor_T r = torch.linalg_svd(x, false, driver);
                int k = w.size(2);
                return new Tensor[] {r.get0().narrow(1, 0, k), r.get1().narrow(0, 0, k), r.get2().narrow(0, 0, k)};
            };
            case EIGH -> () -> {
                T_TensorTensor_T r = torch.linalg_eigh(x);
                return new Tensor[] {r.get0(), r.get1()};
            };
            case ADD -> () -> only(torch.add(x, y));
            case EXP -> () -> only(torch.exp(x));
            case TANH -> () -> only(torch.tanh(x));
            case TRANSPOSE -> () -> only(x.transpose(0, 1).contiguous());
        };
    }

    private static Tensor[] only(Tensor t) {
        return new Tensor[] {t};
    }
}
