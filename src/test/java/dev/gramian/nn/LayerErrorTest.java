package dev.gramian.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import dev.gramian.attention.KvCache;
import dev.gramian.attention.Rope;
import dev.gramian.attention.RopeLayout;
import dev.gramian.attention.RopeTables;
import dev.gramian.core.ClosedException;
import dev.gramian.core.DType;
import dev.gramian.core.GramianException;
import dev.gramian.spec.DeviceSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.function.Executable;

/** What layers say about bad input: word for word, and nothing is left behind. */
final class LayerErrorTest {
    private final List<String> wrong = new ArrayList<>();

    private void says(String text, Executable call) {
        String got;
        try {
            call.execute();
            got = "no error";
        } catch (GramianException e) {
            got = e.getMessage();
        } catch (Throwable t) {
            got = t.toString();
        }
        if (!got.equals(text)) {
            wrong.add("said: " + got + "\nnot:  " + text);
        }
    }

    private void verdict() {
        assertEquals("", String.join("\n", wrong));
    }

    private static Linear linear(Scope s, long out, long in) {
        return Linear.of(s.ones(out, in));
    }

    @DeviceSpec
    void singleLayers(Device device) {
        try (Scope s = device.open()) {
            says("linear: no weight; it is null; give (out, in)", () -> Linear.of(null));
            says("linear: weight is I64; weight [2, 3]; cast with .to(DType.F32)",
                    () -> Linear.of(s.ones(DType.I64, 2, 3)));
            says("linear: weight has 1 axis; weight [3]; give (out, in)", () -> Linear.of(s.ones(3)));
            says("linear: weight has 3 axes; weight [3, 1, 2]; give (out, in)", () -> Linear.of(s.ones(3, 1, 2)));
            says("linear: bias has 3 features, the weight gives 2; bias [3], weight [2, 3] (out, in); "
                    + "they must be equal",
                    () -> new Linear(s.ones(2, 3), s.ones(3)));
            says("linear: element types differ; bias F16 [2], weight F32 [2, 3]; cast one with .to(DType.F32)",
                    () -> new Linear(s.ones(2, 3), s.ones(DType.F16, 2)));
            says("linear: x has 2 features (axis -1), the weight takes 3; x [5, 2], weight [2, 3] (out, in); "
                    + "give (..., 3)",
                    () -> linear(s, 2, 3).apply(s.ones(5, 2)));
            says("linear: x has no features (axis -1), the weight takes 3; x [], weight [2, 3] (out, in); "
                    + "give (..., 3)",
                    () -> linear(s, 2, 3).apply(s.ones()));
            says("linear: element types differ; x F64 [3], weight F32 [2, 3]; cast one with .to(DType.F32)",
                    () -> linear(s, 2, 3).apply(s.ones(DType.F64, 3)));
            says("layerNorm: weight has 2 axes; weight [2, 3]; give (features)",
                    () -> new LayerNorm(s.ones(2, 3), null, 0));
            says("layerNorm: weight and bias differ in features; weight [3], bias [2]; they must be equal",
                    () -> new LayerNorm(s.ones(3), s.ones(2), 0));
            says("layerNorm: eps is -1.0; it keeps the root of the variance from 0; give 0 or more, 1e-5 is usual",
                    () -> new LayerNorm(s.ones(3), null, -1));
            says("rmsNorm: eps is NaN; it keeps the root of the variance from 0; give 0 or more, 1e-5 is usual",
                    () -> new RmsNorm(s.ones(3), Double.NaN));
            says("rmsNorm: weight does not fit the normalised axes; x [2, 4], weight [3]; give it shape [4]",
                    () -> new RmsNorm(s.ones(3), 0).apply(s.ones(2, 4)));
            says("embedding: weight has 1 axis; weight [4]; give (count, features)", () -> new Embedding(s.ones(4)));
            Embedding e = new Embedding(s.ones(4, 2));
            says("embedding: ids are F32; ids [2], weight [4, 2]; they must be I64 or I32", () -> e.apply(s.ones(2)));
            says("embedding: id 4 is out of range; ids [1, 2], weight [4, 2] (count, features); use 0 to 3",
                    () -> e.apply(s.tensor(new long[] {3, 4}, 1, 2)));
            says("embedding: id -1 is out of range; ids [2], weight [4, 2] (count, features); use 0 to 3",
                    () -> e.apply(0, -1));
            says("embedding: id 0 is out of range; ids [1], weight [0, 2] (count, features); the embedding is empty",
                    () -> new Embedding(s.ones(0, 2)).apply(0));
            says("feedForward: up gives 4 features, down takes 3; up [4, 2], down [2, 3] (out, in); "
                    + "they must be equal",
                    () -> FeedForward.of(linear(s, 4, 2), linear(s, 2, 3), Activation.RELU));
            says("feedForward: gate and up take different features; gate [4, 3], up [4, 2] (out, in); "
                    + "their last axes must be equal",
                    () -> FeedForward.gated(linear(s, 4, 3), linear(s, 4, 2), linear(s, 2, 4), Activation.RELU));
            says("feedForward: gate gives 5 features, down takes 4; gate [5, 2], down [2, 4] (out, in); "
                    + "they must be equal",
                    () -> FeedForward.gated(linear(s, 5, 2), linear(s, 4, 2), linear(s, 2, 4), Activation.RELU));
            says("feedForward: no gate; it is null; give (hidden, in), or use of(...)",
                    () -> FeedForward.gated(null, linear(s, 4, 2), linear(s, 2, 4), Activation.RELU));
            says("feedForward: no activation; it is null; name one",
                    () -> FeedForward.of(linear(s, 4, 2), linear(s, 2, 4), null));
        }
        verdict();
    }

    @DeviceSpec
    void weightsOfAnotherDevice(Device device) {
        Device other = Device.of(device.name().equals("cpu:scalar") ? "cpu:vector" : "cpu:scalar");
        try (Scope s = device.open(); Scope o = other.open()) {
            says("linear: bias and weight are on different devices; bias [2] on " + other + ", weight [2, 3] on "
                    + device + "; move one with .to(device)", () -> new Linear(s.ones(2, 3), o.ones(2)));
            says("linear: x and weight are on different devices; x [3] on " + other + ", weight [2, 3] on "
                    + device + "; move one with .to(device)", () -> linear(s, 2, 3).apply(o.ones(3)));
        }
        verdict();
    }

    @DeviceSpec
    void attention(Device device) {
        try (Scope s = device.open()) {
            says("attention: no query projection; it is null; give (query heads * head size, in)",
                    () -> MultiHeadAttention.of(null, null, null, null, 2, 2));
            says("attention: no output projection; it is null; give (out, query heads * value size)",
                    () -> MultiHeadAttention.fused(linear(s, 24, 8), null, 2, 2));
            says("attention: no projection; it is null; give ((query heads + 2 * key heads) * head size, in)",
                    () -> MultiHeadAttention.fused(null, null, 2, 2));
            says("attention: query heads are no multiple of key heads; query heads 3, key heads 2; "
                    + "every key head serves equally many query heads",
                    () -> MultiHeadAttention.fused(linear(s, 24, 8), linear(s, 8, 8), 3, 2));
            says("attention: key projection and query projection take different features; key projection [8, 7], "
                    + "query projection [8, 8] (out, in); their last axes must be equal",
                    () -> MultiHeadAttention.of(linear(s, 8, 8), linear(s, 8, 7), linear(s, 8, 8), linear(s, 8, 8), 2,
                            2));
            says("attention: query projection does not divide into heads; query projection [9, 8] (out, in), 2 query "
                    + "heads; its first axis must be a multiple of them",
                    () -> MultiHeadAttention.of(linear(s, 9, 8), linear(s, 8, 8), linear(s, 8, 8), linear(s, 8, 8), 2,
                            2));
            says("attention: queries and keys differ in head size: 4 and 8; query projection [8, 8] for 2 heads, key "
                    + "projection [8, 8] for 1; their dot products need equal sizes",
                    () -> MultiHeadAttention.of(linear(s, 8, 8), linear(s, 8, 8), linear(s, 8, 8), linear(s, 8, 8), 2,
                            1));
            says("attention: output projection takes 6 features, the heads give 8; output projection [8, 6] (out, in), "
                    + "2 heads of value size 4; they must be equal",
                    () -> MultiHeadAttention.fused(linear(s, 24, 8), linear(s, 8, 6), 2, 2));
            MultiHeadAttention a = MultiHeadAttention.fused(linear(s, 24, 8), linear(s, 8, 8), 2, 2);
            says("attention: rope is for another head size; rope 6, projection [24, 8] has heads of 4; "
                    + "they must be equal",
                    () -> a.rope(Rope.of(RopeLayout.HALF_SPLIT, 6).tables(s, DType.F32, 4)));
            says("attention: x does not fit; x [3, 8], projection [24, 8] (out, in); give (batch, length, 8)",
                    () -> a.apply(s.ones(3, 8)));
            says("attention: x does not fit; x [1, 3, 7], projection [24, 8] (out, in); give (batch, length, 8)",
                    () -> a.apply(s.ones(1, 3, 7)));
            KvCache cache = a.cache(s, 2, 4);
            says("attention: a cache needs a causal layer; x [2, 3, 8], " + cache
                    + "; use causal(): earlier positions cannot see later ones",
                    () -> a.apply(s.ones(2, 3, 8), cache));
            MultiHeadAttention c = a.causal();
            says("attention: x and the cache differ in sequences (axis 0); x [1, 3, 8], " + cache + "; give (2, n, 8)",
                    () -> c.apply(s.ones(1, 3, 8), cache));
            says("attention: 1 counts for batch 2; counts [3], x [2, 3, 8]; give one per sequence, or none for all",
                    () -> c.apply(s.ones(2, 3, 8), cache, 3));
            says("attention: a count is out of range; counts [3, 4], x [2, 3, 8]; give 0 to 3",
                    () -> c.apply(s.ones(2, 3, 8), cache, 3, 4));
            says("rope: positions 0 to 4 are out of range; tables cover 4 from 0 on; make tables of at least 5",
                    () -> c.rope(Rope.of(RopeLayout.HALF_SPLIT, 4).tables(s, DType.F32, 4)).apply(s.ones(1, 5, 8)));
            says("cache: the options are causal already; attention: scale 1/sqrt(d), causal; leave that out: queries "
                    + "see earlier positions only, by the cache's own lengths",
                    () -> c.options(Attention.scaled().causal()).apply(s.ones(2, 3, 8), cache));
            assertArrayEquals(new long[] {0, 0}, cache.lengths());
            RopeTables rope = Rope.of(RopeLayout.HALF_SPLIT, 4).tables(s, DType.F32, 4);
            KvCache rotating = a.cache(s, 2, 4).rotating(rope);
            for (KvCache other : List.of(cache, rotating)) {
                MultiHeadAttention layer = other == cache ? c.rope(rope) : c;
                says("attention: layer and cache do not rotate alike; x [2, 3, 8], " + other + "; make the cache by "
                        + "cache(...) or pagedCache(...), or let it be rotating(layer.rope())",
                        () -> layer.apply(s.ones(2, 3, 8), other));
            }
            Tensor x = s.normal(DType.F32, 1, 2, 3, 8);
            assertArrayEquals(c.rope(rope).apply(x).toDoubleArray(), c.rope(rope).apply(x, rotating).toDoubleArray(),
                    1e-4);
        }
        verdict();
    }

    private static FeedForward mlp(Scope s, long in, long out) {
        return FeedForward.of(linear(s, 16, in), linear(s, out, 16), Activation.GELU);
    }

    @DeviceSpec
    void blocksAndModels(Device device) {
        try (Scope s = device.open()) {
            Norm norm = new LayerNorm(s.ones(8), s.ones(8), 1e-5);
            MultiHeadAttention a = MultiHeadAttention.fused(linear(s, 24, 8), linear(s, 8, 8), 2, 2);
            FeedForward mlp = mlp(s, 8, 8);
            says("decoderBlock: no attention; it is null; give a MultiHeadAttention",
                    () -> new DecoderBlock(norm, null, norm, mlp));
            says("encoderBlock: attention gives 6 features, x has 8; attention takes (..., 8) and gives (..., 6); "
                    + "their sum needs equal widths",
                    () -> new EncoderBlock(MultiHeadAttention.fused(linear(s, 24, 8), linear(s, 6, 8), 2, 2), norm, mlp,
                            norm));
            says("decoderBlock: no attention norm; it is null; give a LayerNorm or an RmsNorm",
                    () -> new DecoderBlock(null, a, norm, mlp));
            says("decoderBlock: feed-forward norm is for 7 features, feed-forward part for 8; feed-forward norm [7], "
                    + "feed-forward part [16, 8]; they must be equal",
                    () -> new DecoderBlock(norm, a, new RmsNorm(s.ones(7), 0), mlp));
            says("decoderBlock: feed-forward part gives 7 features, x has 8; feed-forward part takes (..., 8) and "
                    + "gives (..., 7); their sum needs equal widths",
                    () -> new DecoderBlock(norm, a, norm, mlp(s, 8, 7)));
            says("decoderBlock: attention and feed-forward part differ in features: 8 and 6; attention [24, 8], "
                    + "feed-forward part [16, 6] (out, in); they must be equal",
                    () -> new DecoderBlock(norm, a, new RmsNorm(s.ones(6), 0), mlp(s, 6, 6)));
            says("decoderBlock: element types differ; attention norm F16 [8], attention F32 [24, 8]; cast one with "
                    + ".to(DType.F32)",
                    () -> new DecoderBlock(new RmsNorm(s.ones(DType.F16, 8), 0), a, norm, mlp));

            Embedding tokens = new Embedding(s.ones(11, 8));
            DecoderBlock block = new DecoderBlock(norm, a.causal(), norm, mlp);
            says("decoder: block 1 is not causal; its positions would see the ids they are to predict; "
                    + "make its attention causal()",
                    () -> new Decoder(tokens, null, List.of(block, new DecoderBlock(norm, a, norm, mlp)), norm,
                            tokens.head()));
            says("decoder: block 0 is for 8 features, token embeddings have 6; token embedding [11, 6] (count, "
                    + "features); they must be equal",
                    () -> new Decoder(new Embedding(s.ones(11, 6)), null, List.of(block), norm, tokens.head()));
            says("decoder: head is for 6 features, token embeddings have 8; token embedding [11, 8] (count, features); "
                    + "they must be equal",
                    () -> new Decoder(tokens, null, List.of(block), norm, linear(s, 11, 6)));
            says("decoder: no head; it is null; give (vocabulary, features), tokens.head() where they are tied",
                    () -> new Decoder(tokens, null, List.of(block), norm, null));
            Decoder decoder = new Decoder(tokens, new Embedding(s.ones(5, 8)), List.of(block, block), norm,
                    tokens.head());
            says("decoder: ids have 1 axis; ids [3]; give (batch, length)",
                    () -> decoder.apply(s.ones(DType.I64, 3)));
            says("embedding: id 11 is out of range; ids [1, 1], weight [11, 8] (count, features); use 0 to 10",
                    () -> decoder.apply(s.full(DType.I64, 11, 1, 1)));
            says("positions: a sequence is too long; starts [0], counts [6], position embedding [5, 8] (count, "
                    + "features); there are 5 positions",
                    () -> decoder.apply(s.ones(DType.I64, 1, 6)));
            Decoder single = new Decoder(tokens, null, List.of(block), norm, tokens.head());
            says("decoder: the cache does not fit; 2 blocks, ids [1, 3] (batch, length), cache of 1 blocks and 1 "
                    + "sequences; make it with cache(...) or pagedCache(...)",
                    () -> decoder.apply(s.ones(DType.I64, 1, 3), single.cache(s, 1, 4)));
            says("decoder: the cache does not fit; 1 blocks, ids [1, 3] (batch, length), cache of 1 blocks and 2 "
                    + "sequences; make it with cache(...) or pagedCache(...)",
                    () -> single.apply(s.ones(DType.I64, 1, 3), single.cache(s, 2, 4)));

            Encoder encoder = new Encoder(tokens, new Embedding(s.ones(5, 8)), null, norm,
                    List.of(new EncoderBlock(a, norm, mlp, norm)), null);
            says("encoder: type ids do not fit; ids [1, 3], type ids [1, 3]; this encoder has no types: give null",
                    () -> encoder.apply(s.ones(DType.I64, 1, 3), s.ones(DType.I64, 1, 3), UnaryOperator.identity()));
            says("encoder: no pooler; states [1, 3, 8]; the checkpoint had none: use the states, or their mean",
                    () -> encoder.pool(s.ones(1, 3, 8)));
            Encoder typed = new Encoder(tokens, new Embedding(s.ones(5, 8)), new Embedding(s.ones(2, 8)), norm,
                    List.of(), null);
            says("encoder: type ids do not fit; ids [1, 3], type ids [1, 2]; give one per id",
                    () -> typed.apply(s.ones(DType.I64, 1, 3), s.ones(DType.I64, 1, 2), UnaryOperator.identity()));
        }
        verdict();
    }

    /** Options that fail in the second block, when the first has appended already. */
    @DeviceSpec
    void anErrorLeavesTheCacheAsItWas(Device device) {
        try (Scope s = device.open()) {
            Norm norm = new RmsNorm(s.ones(8), 1e-5);
            MultiHeadAttention a = MultiHeadAttention.fused(linear(s, 24, 8), linear(s, 8, 8), 2, 2).causal();
            DecoderBlock block = new DecoderBlock(norm, a, norm, mlp(s, 8, 8));
            Embedding tokens = new Embedding(s.ones(11, 8));
            Decoder decoder = new Decoder(tokens, null, List.of(block, block), norm, tokens.head());
            DecoderCache cache = decoder.cache(s, 1, 4);
            decoder.apply(s.ones(DType.I64, 1, 2), cache);
            long[] calls = new long[1];
            long before = s.liveBytes();
            says("as it must", () -> decoder.states(s.ones(DType.I64, 1, 1), o -> {
                if (calls[0]++ == 1) {
                    throw new GramianException("as it must");
                }
                return o;
            }, cache));
            assertEquals(2, calls[0]);
            assertArrayEquals(new long[] {2}, cache.lengths());
            assertArrayEquals(new long[] {2}, cache.block(1).lengths());
            // the ids made for the call
            assertEquals(before + 8, s.liveBytes());
            cache.close();
            Tensor ids = s.ones(DType.I64, 1, 1);
            says("buffer: buffer is closed; 1 rows; make another", () -> decoder.apply(ids, cache));
            DecoderCache gone;
            try (Scope inner = device.open()) {
                gone = decoder.cache(inner, 1, 4);
            }
            String text = assertThrows(ClosedException.class, () -> decoder.apply(ids, gone)).getMessage();
            assertTrue(text.contains("scope is closed"), text);
        }
        verdict();
    }

    @DeviceSpec
    void useAfterClose(Device device) {
        Linear linear;
        Tensor x;
        try (Scope s = device.open()) {
            linear = new Linear(s.ones(2, 3), s.ones(2));
            try (Scope inner = device.open()) {
                x = inner.ones(3);
            }
            says("matmul: operand 0 is used after its scope closed; F32 [1, 3]", () -> cut(linear, x));
        }
        try (Scope s = device.open()) {
            says("matmul: operand 1 is used after its scope closed; F32 [3, 2]", () -> cut(linear, s.ones(3)));
        }
        says("linear: no scope is open on this thread; device " + device
                + "; compute inside try (Scope s = Device.of(\""
                + device + "\").open()) { ... }", () -> linear.apply(x));
        verdict();
    }

    /** The error without where the scope was opened, which ends in the usual hint. */
    private static void cut(Linear linear, Tensor x) {
        try {
            linear.apply(x);
        } catch (GramianException e) {
            String text = e.getMessage();
            assertTrue(text.endsWith("; hand it to the enclosing scope with scope.keep(t)"), text);
            throw new GramianException(text.substring(0, text.indexOf("], ") + 1));
        }
    }
}
