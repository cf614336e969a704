package dev.gramian.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.GramianException;
import dev.gramian.io.TensorFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is said of checkpoints and settings that do not fit; nothing of them stays in memory. */
final class PretrainedErrorTest {
    private static final Device DEVICE = Device.of("cpu:scalar");

    @TempDir
    Path dir;

    private interface Load {
        Object from(Scope s, Path path, DType dtype);
    }

    private String fails(Load load, DType dtype) {
        try (Scope s = DEVICE.open()) {
            String text = assertThrows(GramianException.class, () -> load.from(s, dir, dtype)).getMessage();
            assertEquals(0, s.liveBytes());
            return text.replace(dir.toString(), "DIR");
        }
    }

    private String llama(String more) throws Exception {
        Tiny.llama("model.", true, more).write(dir, 1, DType.F32);
        return fails(Pretrained::llama, null);
    }

    @Test
    void tensorsThatDoNotFit() throws Exception {
        Tiny t = Tiny.llama("model.", false, "");
        t.shapes.remove("model.norm.weight");
        t.shapes.remove("model.layers.0.mlp.up_proj.weight");
        t.shapes.put("model.layers.0.mlp.up_proj.bias", new long[] {96});
        t.shapes.put("model.layers.1.self_attn.k_proj.weight", new long[] {64, 64});
        t.write(dir, 2, DType.F32);
        assertEquals("load: tensors do not fit the model; DIR, "
                + "2 missing: model.layers.0.mlp.up_proj.weight [96, 64], model.norm.weight [64]; "
                + "1 not expected: model.layers.0.mlp.up_proj.bias [96]; "
                + "1 of another shape or type: model.layers.1.self_attn.k_proj.weight is [64, 64], not [32, 64]; "
                + "config.json and tensors must be of one model", fails(Pretrained::llama, null));
    }

    @Test
    void anotherModelsTensors() throws Exception {
        Tiny.gpt2("transformer.").write(dir, 1, DType.F32);
        Files.writeString(dir.resolve("config.json"), Tiny.llama("model.", false, "").config);
        String text = fails(Pretrained::llama, null);
        assertEquals("load: tensors do not fit the model; DIR, 21 missing: model.embed_tokens.weight [101, 64], ",
                text.substring(0, text.indexOf("model.layers")));
        assertEquals(2, text.split("in all\\)", -1).length - 1, text);
    }

    @Test
    void tooManyLayersEndEarly() throws Exception {
        Tiny t = Tiny.llama("model.", true, "");
        t.config = t.config.replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 2000000000");
        t.write(dir, 1, DType.F32);
        String text = fails(Pretrained::llama, null);
        assertEquals("load: tensors do not fit the model; DIR, 1001 missing: model.layers.2.self_attn.q_proj.weight",
                text.substring(0, text.indexOf(" [")));
    }

    @Test
    void tiedHeadsThatAreNotAndOldNorms() throws Exception {
        Tiny t = Tiny.llama("model.", true, "");
        t.config = t.config.replace("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false");
        t.write(dir, 1, DType.F32);
        assertEquals("load: tensors do not fit the model; DIR, 1 missing: lm_head.weight [101, 64]; "
                + "config.json and tensors must be of one model", fails(Pretrained::llama, null));
        Tiny b = Tiny.bert("", "weight", "bias");
        b.shapes.remove("embeddings.LayerNorm.weight");
        b.shapes.put("embeddings.LayerNorm.gamma", new long[] {63});
        b.shapes.remove("encoder.layer.1.output.LayerNorm.bias");
        b.write(dir, 1, DType.F32);
        assertEquals("load: tensors do not fit the model; DIR, "
                + "1 missing: encoder.layer.1.output.LayerNorm.bias or encoder.layer.1.output.LayerNorm.beta [64]; "
                + "1 of another shape or type: embeddings.LayerNorm.gamma is [63], not [64]; "
                + "config.json and tensors must be of one model", fails(Pretrained::bert, null));
    }

    @Test
    void typesThatDiffer() throws Exception {
        Tiny.llama("model.", true, "").write(dir, 1, DType.BF16);
        Path file = dir.resolve("model.safetensors");
        try (Scope s = DEVICE.open()) {
            TensorFiles.write(file + ":model.norm.weight", s.ones(64));
        }
        assertEquals("load: element types differ; DIR, model.embed_tokens.weight is BF16, model.norm.weight is F32; "
                + "name one that all are converted to", fails(Pretrained::llama, null));
        try (Scope s = DEVICE.open()) {
            Pretrained.llama(s, dir, DType.F32);
            TensorFiles.write(file + ":model.norm.weight", s.ones(DType.I64, 64));
        }
        assertEquals("load: tensors do not fit the model; DIR, "
                + "1 of another shape or type: model.norm.weight is I64, not a supported float type; "
                + "config.json and tensors must be of one model", fails(Pretrained::llama, DType.F32));
        assertEquals("load: I64 holds no weights; DIR; name a float type, or null for the files' own",
                fails(Pretrained::llama, DType.I64));
    }

    @Test
    void settings() throws Exception {
        assertEquals("read: rope type is 'ntk'; DIR/config.json; expected default, linear, dynamic, yarn, longrope or "
                + "llama3", llama(", \"rope_scaling\": {\"type\": \"ntk\"}"));
        assertEquals("read: no rope_scaling.factor; DIR/config.json; expected a number",
                llama(", \"rope_scaling\": {\"type\": \"linear\"}"));
        assertEquals("rope: linear factor is 0.5; it stretches lengths; it must be 1 or more and finite",
                llama(", \"rope_scaling\": {\"type\": \"linear\", \"factor\": 0.5}"));
        assertEquals("read: YaRN's truncate is false; DIR/config.json; expected true: a ramp that begins and ends at "
                + "whole pairs",
                llama(", \"rope_parameters\": {\"rope_type\": \"yarn\", \"factor\": 2, \"truncate\": false}"));
        assertEquals("rope: longrope has 2 short factors; rotary size 16 has 8 pairs; give one factor per pair",
                llama(", \"rope_scaling\": {\"type\": \"longrope\", \"short_factor\": [1, 1], \"long_factor\": [1]}"));
        assertEquals("read: hidden_act is 'quick_gelu'; DIR/config.json; expected gelu, gelu_python, gelu_new, "
                + "gelu_fast, gelu_pytorch_tanh, relu, silu or swish",
                setting("\"hidden_act\": \"silu\"", "\"hidden_act\": \"quick_gelu\""));
        assertEquals("read: model_type is 'mistral'; DIR/config.json; expected llama",
                setting("\"model_type\": \"llama\"", "\"model_type\": \"mistral\""));
        assertEquals("read: 5 heads do not divide 64 features; DIR/config.json; expected a multiple of the heads",
                setting("\"num_attention_heads\": 4", "\"num_attention_heads\": 5"));
        assertEquals("attention: query heads are no multiple of key heads; query heads 4, key heads 3; "
                + "every key head serves equally many query heads",
                setting("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3"));
        assertEquals("read: no hidden_size; DIR/config.json; expected a whole number from 1 to 2147483647",
                setting("\"hidden_size\": 64", "\"hidden_size\": null"));
        assertEquals("read: position_embedding_type is 'relative_key'; DIR/config.json; expected absolute", bert());
        Files.delete(dir.resolve("config.json"));
        assertEquals("read: no such file; DIR/config.json; expected a readable file", fails(Pretrained::llama, null));
    }

    private String setting(String usual, String other) throws Exception {
        Tiny t = Tiny.llama("model.", true, "");
        t.config = t.config.replace(usual, other);
        t.write(dir, 1, DType.F32);
        return fails(Pretrained::llama, null);
    }

    private String bert() throws Exception {
        Tiny t = Tiny.bert("bert.", "weight", "bias");
        t.config = t.config.replace("{\"model", "{\"position_embedding_type\": \"relative_key\", \"model");
        t.write(dir, 1, DType.F32);
        return fails(Pretrained::bert, null);
    }

    /** Biases, a head size of its own and a part of it that rotates; GPT-2's other scales: settings that change sums. */
    @Test
    void rarerSettingsAreRead() throws Exception {
        Tiny t = Tiny.llama("model.", true, ", \"attention_bias\": true, \"mlp_bias\": true, \"head_dim\": 16, "
                + "\"partial_rotary_factor\": 0.5");
        Map<String, long[]> biases = new LinkedHashMap<>();
        t.shapes.forEach((name, shape) -> {
            if (name.contains("_proj.")) {
                biases.put(name.replace(".weight", ".bias"), new long[] {shape[0]});
            }
        });
        t.shapes.putAll(biases);
        t.write(dir, 1, DType.F32);
        Tiny g = Tiny.gpt2("");
        g.config = g.config.replace("{\"model", "{\"scale_attn_by_inverse_layer_idx\": true, \"n_inner\": 256, \"model")
                .replace("\"n_inner\": null,", "");
        g.write(dir.resolve("g"), 1, DType.F32);
        try (Scope s = DEVICE.open()) {
            DecoderBlock block = Pretrained.llama(s, dir, null).blocks().getFirst();
            assertEquals(8, block.attention().rope().rope().rotary());
            assertEquals(64, block.attention().output().bias().size());
            assertEquals(96, block.feedForward().gate().bias().size());
            assertEquals("attention: scale 0.125", Pretrained.gpt2(s, dir.resolve("g"), null).blocks().get(1)
                    .attention().options().toString());
            Tensor wte = Pretrained.gpt2(s, dir.resolve("g"), null).head().weight();
            assertEquals(s.zeros(101, 64).shape(), wte.shape());
        }
    }
}
