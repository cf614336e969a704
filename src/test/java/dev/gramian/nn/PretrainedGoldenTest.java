package dev.gramian.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.io.Safetensors;
import dev.gramian.spec.DeviceSpec;
import java.net.URISyntaxException;
import java.nio.file.Path;

/** Models that transformers wrote, against what it computes of them; {@code golden/nn/make.py} made both. */
final class PretrainedGoldenTest {
    private static final Path MODELS;

    static {
        try {
            MODELS = Path.of(PretrainedGoldenTest.class.getResource("/golden/nn/make.py").toURI()).getParent();
        } catch (URISyntaxException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Of values up to about 5. Some of the expected ones went through F32 too. */
    private static final double BOUND = 2e-5;

    private static Tensor expected(Scope s, String model, String name) {
        return Safetensors.open(MODELS.resolve(model).resolve("expected.safetensors")).read(s, name);
    }

    private static void close(String model, Tensor expected, Tensor actual) {
        assertEquals(expected.shape(), actual.shape(), model);
        double error = expected.sub(actual.to(DType.F64)).abs().max().item();
        assertTrue(error <= BOUND, model + ": error " + error + " above " + BOUND);
    }

    @DeviceSpec
    void llama(Device device) {
        for (String model : new String[] {"llama", "llama-tied-shards", "llama3", "yarn", "longrope", "dynamic"}) {
            try (Scope s = device.open()) {
                Tensor ids = expected(s, model, "ids");
                // rotations that depend on the length are chosen for that of the ids
                Decoder llama = Pretrained.llama(s, MODELS.resolve(model), null, ids.dim(1));
                close(model, expected(s, model, "logits"), llama.apply(ids));
                DecoderCache cache = llama.cache(s, 1, 20);
                llama.apply(ids.slice(1, 0, 13), cache);
                close(model + " with a cache", expected(s, model, "logits").slice(1, 13, 20),
                        llama.apply(ids.slice(1, 13, 20), cache));
            }
        }
    }

    @DeviceSpec
    void gpt2(Device device) {
        for (String model : new String[] {"gpt2", "gpt2-base"}) {
            try (Scope s = device.open()) {
                Decoder gpt2 = Pretrained.gpt2(s, MODELS.resolve(model), null);
                close(model, expected(s, model, "logits"), gpt2.apply(expected(s, model, "ids")));
            }
        }
    }

    @DeviceSpec
    void bert(Device device) {
        for (String model : new String[] {"bert", "bert-base"}) {
            try (Scope s = device.open()) {
                Encoder bert = Pretrained.bert(s, MODELS.resolve(model), null);
                Tensor y = bert.apply(expected(s, model, "ids"), expected(s, model, "types"), a -> a.lengths(20, 13));
                Tensor states = expected(s, model, "states");
                close(model, states.select(0, 0), y.select(0, 0));
                close(model, states.select(0, 1).slice(0, 0, 13), y.select(0, 1).slice(0, 0, 13));
                if (model.equals("bert-base")) {
                    close(model, expected(s, model, "pooled"), bert.pool(y));
                }
            }
        }
    }
}
