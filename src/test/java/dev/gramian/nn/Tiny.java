package dev.gramian.nn;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.io.TensorFiles;
import dev.gramian.spec.Seed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** Small checkpoints of seeded weights, with their values for {@link Float64}. */
final class Tiny {
    static final int VOCABULARY = 101;
    static final int HIDDEN = 64;
    static final int LAYERS = 2;
    static final int HEADS = 4;
    static final int KEY_HEADS = 2;
    static final int INNER = 96;
    static final int POSITIONS = 48;

    final Map<String, long[]> shapes = new LinkedHashMap<>();
    final Map<String, double[]> values = new HashMap<>();
    String config;

    private void matrix(String name, long... shape) {
        shapes.put(name + ".weight", shape);
    }

    private void linear(String name, long out, long in) {
        matrix(name, out, in);
        shapes.put(name + ".bias", new long[] {out});
    }

    private void conv1d(String name, long in, long out) {
        matrix(name, in, out);
        shapes.put(name + ".bias", new long[] {out});
    }

    private void norm(String name, String scale, String shift) {
        shapes.put(name + "." + scale, new long[] {HIDDEN});
        shapes.put(name + "." + shift, new long[] {HIDDEN});
    }

    /** {@code more}: settings after the usual ones, each with a comma before it. */
    static Tiny llama(String prefix, boolean tied, String more) {
        Tiny t = new Tiny();
        int size = HIDDEN / HEADS;
        t.matrix(prefix + "embed_tokens", VOCABULARY, HIDDEN);
        for (int i = 0; i < LAYERS; i++) {
            String b = prefix + "layers." + i + ".";
            t.matrix(b + "input_layernorm", HIDDEN);
            t.matrix(b + "self_attn.q_proj", HIDDEN, HIDDEN);
            t.matrix(b + "self_attn.k_proj", (long) KEY_HEADS * size, HIDDEN);
            t.matrix(b + "self_attn.v_proj", (long) KEY_HEADS * size, HIDDEN);
            t.matrix(b + "self_attn.o_proj", HIDDEN, HIDDEN);
            t.matrix(b + "post_attention_layernorm", HIDDEN);
            t.matrix(b + "mlp.gate_proj", INNER, HIDDEN);
            t.matrix(b + "mlp.up_proj", INNER, HIDDEN);
            t.matrix(b + "mlp.down_proj", HIDDEN, INNER);
        }
        t.matrix(prefix + "norm", HIDDEN);
        if (!tied) {
            t.matrix("lm_head", VOCABULARY, HIDDEN);
        }
        t.config = """
                {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": %d,
                 "num_hidden_layers": %d, "num_attention_heads": %d, "num_key_value_heads": %d,
                 "intermediate_size": %d, "vocab_size": %d, "max_position_embeddings": %d, "rms_norm_eps": 1e-05,
                 "hidden_act": "silu", "tie_word_embeddings": %s%s}
                """.formatted(HIDDEN, LAYERS, HEADS, KEY_HEADS, INNER, VOCABULARY, POSITIONS, tied, more);
        return t;
    }

    static Tiny gpt2(String prefix) {
        Tiny t = new Tiny();
        t.matrix(prefix + "wte", VOCABULARY, HIDDEN);
        t.matrix(prefix + "wpe", POSITIONS, HIDDEN);
        for (int i = 0; i < LAYERS; i++) {
            String b = prefix + "h." + i + ".";
            t.norm(b + "ln_1", "weight", "bias");
            t.conv1d(b + "attn.c_attn", HIDDEN, 3 * HIDDEN);
            t.conv1d(b + "attn.c_proj", HIDDEN, HIDDEN);
            // the causal mask of older files: not a weight
            t.shapes.put(b + "attn.bias", new long[] {1, 1, 8, 8});
            t.norm(b + "ln_2", "weight", "bias");
            t.conv1d(b + "mlp.c_fc", HIDDEN, 4 * HIDDEN);
            t.conv1d(b + "mlp.c_proj", 4 * HIDDEN, HIDDEN);
        }
        t.norm(prefix + "ln_f", "weight", "bias");
        t.config = """
                {"model_type": "gpt2", "n_embd": %d, "n_layer": %d, "n_head": %d, "n_positions": %d, "n_inner": null,
                 "vocab_size": %d, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-05}
                """.formatted(HIDDEN, LAYERS, HEADS, POSITIONS, VOCABULARY);
        return t;
    }

    /** {@code scale} and {@code shift} are what layer norms call their parameters: weight, bias or gamma, beta. */
    static Tiny bert(String prefix, String scale, String shift) {
        Tiny t = new Tiny();
        String e = prefix + "embeddings.";
        t.matrix(e + "word_embeddings", VOCABULARY, HIDDEN);
        t.matrix(e + "position_embeddings", POSITIONS, HIDDEN);
        t.matrix(e + "token_type_embeddings", 2, HIDDEN);
        t.norm(e + "LayerNorm", scale, shift);
        for (int i = 0; i < LAYERS; i++) {
            String b = prefix + "encoder.layer." + i + ".";
            t.linear(b + "attention.self.query", HIDDEN, HIDDEN);
            t.linear(b + "attention.self.key", HIDDEN, HIDDEN);
            t.linear(b + "attention.self.value", HIDDEN, HIDDEN);
            t.linear(b + "attention.output.dense", HIDDEN, HIDDEN);
            t.norm(b + "attention.output.LayerNorm", scale, shift);
            t.linear(b + "intermediate.dense", INNER, HIDDEN);
            t.linear(b + "output.dense", HIDDEN, INNER);
            t.norm(b + "output.LayerNorm", scale, shift);
        }
        t.linear(prefix + "pooler.dense", HIDDEN, HIDDEN);
        t.config = """
                {"model_type": "bert", "hidden_size": %d, "num_hidden_layers": %d, "num_attention_heads": %d,
                 "intermediate_size": %d, "vocab_size": %d, "max_position_embeddings": %d, "type_vocab_size": 2,
                 "hidden_act": "gelu", "layer_norm_eps": 1e-12}
                """.formatted(HIDDEN, LAYERS, HEADS, INNER, VOCABULARY, POSITIONS);
        return t;
    }

    /** Seeded values: matrices keep the size of what they are applied to, scales are about 1, the rest about 0. */
    private static Tensor make(Scope s, long seed, String name, long[] shape) {
        Tensor x = s.normal(DType.F32, seed, shape);
        boolean norm = name.matches(".*(norm|ln_1|ln_2|ln_f|LayerNorm)\\.(weight|gamma)");
        return norm ? x.mul(0.1).add(1) : x.mul(name.contains("embed") || name.contains("lm_head") ? 0.5 : 0.15);
    }

    /** Writes {@code config.json} and {@code shards} safetensors files, with an index where they are several. */
    Tiny write(Path dir, int shards, DType dtype) throws IOException {
        Files.createDirectories(dir);
        Files.writeString(dir.resolve("config.json"), config);
        StringBuilder index = new StringBuilder("{\"metadata\": {\"total_size\": 1}, \"weight_map\": {");
        try (Scope s = Device.of("cpu:scalar").open()) {
            Map<Integer, Map<String, Tensor>> parts = new LinkedHashMap<>();
            int n = 0;
            for (Map.Entry<String, long[]> e : shapes.entrySet()) {
                Tensor x = make(s, Seed.VALUE + n, e.getKey(), e.getValue()).to(dtype);
                values.put(e.getKey(), x.toDoubleArray());
                int part = n++ % shards;
                parts.computeIfAbsent(part, i -> new LinkedHashMap<>()).put(e.getKey(), x);
                index.append(n > 1 ? ", " : "").append("\"" + e.getKey() + "\": \"" + file(part, shards) + "\"");
            }
            for (Map.Entry<Integer, Map<String, Tensor>> p : parts.entrySet()) {
                TensorFiles.write(dir.resolve(file(p.getKey(), shards)), p.getValue(), Map.of("format", "pt"));
            }
        }
        if (shards > 1) {
            Files.writeString(dir.resolve("model.safetensors.index.json"), index + "}}");
        }
        return this;
    }

    private static String file(int part, int shards) {
        return shards == 1 ? "model.safetensors" : "model-%05d-of-%05d.safetensors".formatted(part + 1, shards);
    }
}
