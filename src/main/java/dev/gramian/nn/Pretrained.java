package dev.gramian.nn;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.attention.Attention;
import dev.gramian.attention.RopeTables;
import dev.gramian.core.DType;
import dev.gramian.core.FormatException;
import dev.gramian.io.Checkpoint;
import dev.gramian.io.JsonConfig;
import dev.gramian.io.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Models from checkpoints as Hugging Face keeps them: {@code config.json} and safetensors, whole or in shards, under the
 * usual names with or without the usual prefix. {@link FormatException} for what is wrong with a file, for a setting that
 * is not supported, and with the names of all tensors that are missing, not expected or of another shape.
 *
 * <p>The scope given owns the tensors. {@code dtype} converts them, null keeps the files' type; on the CPU tensors that
 * keep it are the files' own pages, which must not be changed in place.
 */
public final class Pretrained {
    private Pretrained() {}

    /** As {@link #llama(Scope, Path, DType, long)} for as many positions as {@code max_position_embeddings} says. */
    public static Decoder llama(Scope scope, Path path, DType dtype) {
        return llama(scope, path, dtype, 0);
    }

    /**
     * A Llama ({@code model_type} llama), prefix {@code model.}: RMS norms, rotary positions in halves, SwiGLU, grouped
     * heads, biases where the config has them.
     *
     * @param length most positions of a sequence, for which rotations are prepared and, where the config scales by length,
     *     chosen
     */
    public static Decoder llama(Scope scope, Path path, DType dtype, long length) {
        Checkpoint c = Checkpoint.open(path);
        JsonConfig g = c.config();
        type(g, "llama");
        int hidden = g.count("hidden_size");
        int heads = g.count("num_attention_heads");
        int keyHeads = g.count("num_key_value_heads", heads);
        long size = headSize(g, hidden, heads);
        int inner = g.count("intermediate_size");
        double eps = g.number("rms_norm_eps", 1e-6);
        boolean attentionBias = g.flag("attention_bias", false);
        boolean mlpBias = g.flag("mlp_bias", false);
        Activation activation = activation(g, "hidden_act", "silu");
        long positions = length > 0 ? length : g.count("max_position_embeddings");
        return c.load(scope, dtype, w -> {
            String p = w.prefix("embed_tokens.weight", "model.");
            w.ignore(n -> n.endsWith(".rotary_emb.inv_freq"));
            Embedding tokens = new Embedding(w.take(p + "embed_tokens.weight", g.count("vocab_size"), hidden));
            RopeTables rope = RopeConfig.rope(g, size).tables(w.scope(), w.dtype(), positions);
            List<DecoderBlock> blocks = new ArrayList<>();
            for (int i = 0; i < g.count("num_hidden_layers"); i++) {
                String b = p + "layers." + i + ".";
                String a = b + "self_attn.";
                MultiHeadAttention attention = MultiHeadAttention.of(
                        linear(w, a + "q_proj", heads * size, hidden, attentionBias),
                        linear(w, a + "k_proj", keyHeads * size, hidden, attentionBias),
                        linear(w, a + "v_proj", keyHeads * size, hidden, attentionBias),
                        linear(w, a + "o_proj", hidden, heads * size, attentionBias), heads, keyHeads);
                FeedForward mlp = FeedForward.gated(
                        linear(w, b + "mlp.gate_proj", inner, hidden, mlpBias),
                        linear(w, b + "mlp.up_proj", inner, hidden, mlpBias),
                        linear(w, b + "mlp.down_proj", hidden, inner, mlpBias), activation);
                blocks.add(new DecoderBlock(
                        new RmsNorm(w.take(b + "input_layernorm.weight", hidden), eps),
                        attention.rope(rope).causal(),
                        new RmsNorm(w.take(b + "post_attention_layernorm.weight", hidden), eps),
                        mlp));
            }
            return new Decoder(tokens, null, blocks, new RmsNorm(w.take(p + "norm.weight", hidden), eps),
                    head(w, g, p, "model.", tokens, false));
        });
    }

    /**
     * A GPT-2 ({@code model_type} gpt2), prefix {@code transformer.} or none: layer norms, learned positions, one
     * projection for queries, keys and values; weights are stored (in, out) and read where they lie.
     */
    public static Decoder gpt2(Scope scope, Path path, DType dtype) {
        Checkpoint c = Checkpoint.open(path);
        JsonConfig g = c.config();
        type(g, "gpt2");
        int hidden = g.count("n_embd");
        int heads = g.count("n_head");
        headSize(g, hidden, heads);
        int inner = g.count("n_inner", Math.multiplyExact(4, Math.min(hidden, Integer.MAX_VALUE / 4)));
        double eps = g.number("layer_norm_epsilon", 1e-5);
        Activation activation = activation(g, "activation_function", "gelu_new");
        return c.load(scope, dtype, w -> {
            String p = w.prefix("wte.weight", "transformer.");
            w.ignore(n -> n.endsWith(".attn.bias") || n.endsWith(".attn.masked_bias"));
            Embedding tokens = new Embedding(w.take(p + "wte.weight", g.count("vocab_size"), hidden));
            Embedding positions = new Embedding(w.take(p + "wpe.weight", g.count("n_positions"), hidden));
            List<DecoderBlock> blocks = new ArrayList<>();
            for (int i = 0; i < g.count("n_layer"); i++) {
                String b = p + "h." + i + ".";
                Linear all = stored(w, b + "attn.c_attn", hidden, 3L * hidden);
                Linear output = stored(w, b + "attn.c_proj", hidden, hidden);
                FeedForward mlp = FeedForward.of(stored(w, b + "mlp.c_fc", hidden, inner),
                        stored(w, b + "mlp.c_proj", inner, hidden), activation);
                blocks.add(new DecoderBlock(
                        layerNorm(w, b + "ln_1", hidden, eps),
                        MultiHeadAttention.fused(all, output, heads, heads).options(gpt2Scale(g, heads, i)).causal(),
                        layerNorm(w, b + "ln_2", hidden, eps),
                        mlp));
            }
            return new Decoder(tokens, positions, blocks, layerNorm(w, p + "ln_f", hidden, eps),
                    head(w, g, p, "transformer.", tokens, true));
        });
    }

    private static Attention gpt2Scale(JsonConfig g, int heads, int block) {
        double scale = g.flag("scale_attn_weights", true) ? 1 / Math.sqrt(g.count("n_embd") / heads) : 1;
        return Attention.scaled().scale(g.flag("scale_attn_by_inverse_layer_idx", false) ? scale / (block + 1) : scale);
    }

    /**
     * A BERT ({@code model_type} bert), prefix {@code bert.} or none; layer norms by their new names or as gamma and beta.
     * A pooler is read where there is one; heads of tasks, beside the prefix, are passed over.
     */
    public static Encoder bert(Scope scope, Path path, DType dtype) {
        Checkpoint c = Checkpoint.open(path);
        JsonConfig g = c.config();
        type(g, "bert");
        int hidden = g.count("hidden_size");
        int heads = g.count("num_attention_heads");
        headSize(g, hidden, heads);
        int inner = g.count("intermediate_size");
        double eps = g.number("layer_norm_eps", 1e-12);
        Activation activation = activation(g, "hidden_act", "gelu");
        String kind = g.text("position_embedding_type", "absolute");
        if (!kind.equals("absolute")) {
            throw g.bad("position_embedding_type is '" + kind + "'", "absolute");
        }
        return c.load(scope, dtype, w -> {
            String p = w.prefix("embeddings.word_embeddings.weight", "bert.");
            String e = p + "embeddings.";
            w.ignore(n -> !n.startsWith(p) || n.equals(e + "position_ids") || n.startsWith("cls."));
            Embedding tokens = new Embedding(
                    w.take(e + "word_embeddings.weight", g.count("vocab_size"), hidden));
            Embedding positions = new Embedding(
                    w.take(e + "position_embeddings.weight", g.count("max_position_embeddings"), hidden));
            Embedding types = new Embedding(
                    w.take(e + "token_type_embeddings.weight", g.count("type_vocab_size", 2), hidden));
            Norm norm = layerNorm(w, e + "LayerNorm", hidden, eps);
            List<EncoderBlock> blocks = new ArrayList<>();
            for (int i = 0; i < g.count("num_hidden_layers"); i++) {
                String b = p + "encoder.layer." + i + ".";
                String a = b + "attention.self.";
                MultiHeadAttention attention = MultiHeadAttention.of(
                        linear(w, a + "query", hidden, hidden, true),
                        linear(w, a + "key", hidden, hidden, true),
                        linear(w, a + "value", hidden, hidden, true),
                        linear(w, b + "attention.output.dense", hidden, hidden, true), heads, heads);
                FeedForward mlp = FeedForward.of(
                        linear(w, b + "intermediate.dense", inner, hidden, true),
                        linear(w, b + "output.dense", hidden, inner, true), activation);
                blocks.add(new EncoderBlock(
                        attention, layerNorm(w, b + "attention.output.LayerNorm", hidden, eps),
                        mlp, layerNorm(w, b + "output.LayerNorm", hidden, eps)));
            }
            Linear pooler = w.has(p + "pooler.dense.weight")
                    ? linear(w, p + "pooler.dense", hidden, hidden, true)
                    : null;
            return new Encoder(tokens, positions, types, norm, blocks, pooler);
        });
    }

    // ---- settings ----------------------------------------------------------------------------------------------------

    private static void type(JsonConfig g, String type) {
        if (!g.text("model_type").equals(type)) {
            throw g.bad("model_type is '" + g.text("model_type") + "'", type);
        }
    }

    private static long headSize(JsonConfig g, int hidden, int heads) {
        if (!g.has("head_dim") && hidden % heads != 0) {
            throw g.bad(heads + " heads do not divide " + hidden + " features", "a multiple of the heads");
        }
        return g.count("head_dim", Math.max(1, hidden / heads));
    }

    private static Activation activation(JsonConfig g, String key, String usual) {
        String name = g.text(key, usual);
        return switch (name) {
            case "gelu", "gelu_python" -> Activation.GELU;
            case "gelu_new", "gelu_fast", "gelu_pytorch_tanh" -> Activation.GELU_TANH;
            case "relu" -> Activation.RELU;
            case "silu", "swish" -> Activation.SILU;
            default -> throw g.bad(key + " is '" + name + "'",
                    "gelu, gelu_python, gelu_new, gelu_fast, gelu_pytorch_tanh, relu, silu or swish");
        };
    }

    // ---- tensors -----------------------------------------------------------------------------------------------------

    private static Linear linear(Weights w, String name, long out, long in, boolean bias) {
        Tensor weight = w.take(name + ".weight", out, in);
        return new Linear(weight, bias ? w.take(name + ".bias", out) : null);
    }

    /** Of GPT-2's own kind, stored (in, out). */
    private static Linear stored(Weights w, String name, long in, long out) {
        return new Linear(w.take(name + ".weight", in, out).transpose(0, 1), w.take(name + ".bias", out));
    }

    private static LayerNorm layerNorm(Weights w, String name, long features, double eps) {
        return new LayerNorm(
                w.take(List.of(name + ".weight", name + ".gamma"), features),
                w.take(List.of(name + ".bias", name + ".beta"), features), eps);
    }

    /** The token embedding's own where they are tied, whatever is stored; it stands before the model's prefix. */
    private static Linear head(
            Weights w, JsonConfig g, String prefix, String own, Embedding tokens, boolean tiedUnlessSaid) {
        String before = prefix.endsWith(own) ? prefix.substring(0, prefix.length() - own.length()) : prefix;
        String name = before + "lm_head.weight";
        if (g.flag("tie_word_embeddings", tiedUnlessSaid)) {
            w.ignore(name::equals);
            return tokens.head();
        }
        return Linear.of(w.take(name, tokens.count(), tokens.features()));
    }
}
