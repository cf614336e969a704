package dev.gramian.adapt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.Device;
import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.DType;
import dev.gramian.core.FormatException;
import dev.gramian.core.GramianException;
import dev.gramian.core.Shape;
import dev.gramian.io.Checkpoint;
import dev.gramian.io.LazyTensor;
import dev.gramian.io.Safetensors;
import dev.gramian.io.TensorEntry;
import dev.gramian.io.TensorFiles;
import dev.gramian.linalg.Linalg;
import dev.gramian.spec.DeviceSpec;
import dev.gramian.spec.Seed;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Adapters as files, and taken from checkpoints. */
class LoraFilesTest {
    private static final long SEED = Seed.VALUE;

    @TempDir
    Path dir;

    /** An adapter_config.json as PEFT 0.17 writes it. */
    private static final String PEFT = """
            {
              "alpha_pattern": {"v_proj": 8},
              "auto_mapping": null,
              "base_model_name_or_path": "some/model",
              "bias": "none",
              "corda_config": null,
              "eva_config": null,
              "exclude_modules": null,
              "fan_in_fan_out": false,
              "inference_mode": true,
              "init_lora_weights": true,
              "layer_replication": null,
              "layers_pattern": null,
              "layers_to_transform": null,
              "loftq_config": {},
              "lora_alpha": 16,
              "lora_bias": false,
              "lora_dropout": 0.05,
              "megatron_config": null,
              "megatron_core": "megatron.core",
              "modules_to_save": null,
              "peft_type": "LORA",
              "r": 2,
              "rank_pattern": {"v_proj": 4},
              "revision": null,
              "target_modules": ["v_proj", "q_proj"],
              "task_type": "CAUSAL_LM",
              "use_dora": false,
              "use_rslora": false
            }
            """;

    private Path adapter(String config, Map<String, long[]> tensors) throws Exception {
        Path d = Files.createTempDirectory(dir, "adapter");
        Files.writeString(d.resolve("adapter_config.json"), config);
        try (Scope s = Device.of("cpu:scalar").open()) {
            Map<String, Tensor> all = new LinkedHashMap<>();
            tensors.forEach((name, shape) -> all.put(name, s.normal(DType.F32, all.size(), shape)));
            TensorFiles.write(d.resolve("adapter_model.safetensors"), all);
        }
        return d;
    }

    private static Map<String, long[]> layer(String module, long out, long in, long r) {
        Map<String, long[]> all = new LinkedHashMap<>();
        all.put("base_model.model." + module + ".lora_A.weight", new long[] {r, in});
        all.put("base_model.model." + module + ".lora_B.weight", new long[] {out, r});
        return all;
    }

    @DeviceSpec
    void whatPeftWrites(Device device) throws Exception {
        Map<String, long[]> tensors = layer("model.layers.0.q_proj", 6, 5, 2);
        tensors.putAll(layer("model.layers.0.v_proj", 3, 5, 4));
        Path d = adapter(PEFT, tensors);
        LoraAdapter a = LoraAdapter.open(d);
        assertEquals(List.of("model.layers.0.q_proj", "model.layers.0.v_proj"), a.modules());
        assertEquals("some/model", a.config().baseModel());
        assertEquals(List.of("v_proj", "q_proj"), a.config().targets());
        try (Scope s = device.open()) {
            LoraPair q = a.pair(s, "model.layers.0.q_proj");
            assertEquals(8, q.scale());
            LoraPair v = a.pair(s, "model.layers.0.v_proj");
            assertEquals(2, v.scale());
            assertEquals(4, v.rank());
            // written and read again: the same bits, names and scales
            Path copy = dir.resolve("copy" + device.name().replace(':', '-'));
            LoraAdapter.write(copy, a.config(), Map.of("model.layers.0.q_proj", q, "model.layers.0.v_proj", v));
            LoraAdapter b = LoraAdapter.open(copy);
            assertEquals(a.config(), b.config());
            assertEquals(a.modules(), b.modules());
            assertArrayEquals(q.a().toFloatArray(), b.pair(s, "model.layers.0.q_proj").a().toFloatArray());
            assertArrayEquals(v.b().toFloatArray(), b.pair(s, "model.layers.0.v_proj").b().toFloatArray());
            Safetensors file = Safetensors.open(copy.resolve("adapter_model.safetensors"));
            assertEquals(Map.of("format", "pt"), file.metadata());
            assertEquals("[base_model.model.model.layers.0.q_proj.lora_A.weight,"
                    + " base_model.model.model.layers.0.q_proj.lora_B.weight,"
                    + " base_model.model.model.layers.0.v_proj.lora_A.weight,"
                    + " base_model.model.model.layers.0.v_proj.lora_B.weight]",
                    file.entries().stream().map(TensorEntry::name).sorted().toList().toString());
        }
    }

    @DeviceSpec
    void weightsTheOtherWayRound(Device device) throws Exception {
        LoraAdapter a = LoraAdapter.open(adapter(PEFT.replace("\"fan_in_fan_out\": false", "\"fan_in_fan_out\": true"),
                layer("c", 6, 5, 2)));
        try (Scope s = device.open()) {
            Tensor w = s.normal(DType.F32, SEED, 5, 6);
            Tensor merged = a.merged(s, "c", w, false);
            assertArrayEquals(w.add(a.pair(s, "c").delta().transpose(0, 1)).toFloatArray(), merged.toFloatArray(),
                    1e-5f);
            assertArrayEquals(w.toFloatArray(), a.merged(s, "c", merged, true).toFloatArray(), 1e-4f);
        }
    }

    private void refused(String text, Path adapter) {
        String said = assertThrows(FormatException.class, () -> LoraAdapter.open(adapter)).getMessage();
        assertEquals(text, said.replace(adapter.toString(), "DIR"));
    }

    @Test
    void badAdapters() throws Exception {
        Map<String, long[]> fine = layer("m", 6, 5, 2);
        refused("read: no such file; DIR/adapter_config.json; expected a readable file", Files.createDirectory(
                dir.resolve("empty")));
        refused("read: peft_type is IA3, which is not supported; DIR/adapter_config.json; expected LORA",
                adapter(PEFT.replace("\"LORA\"", "\"IA3\""), fine));
        refused("read: use_dora is true, which is not supported; DIR/adapter_config.json; expected false",
                adapter(PEFT.replace("\"use_dora\": false", "\"use_dora\": true"), fine));
        refused("read: modules_to_save is [lm_head], which is not supported; DIR/adapter_config.json; expected null",
                adapter(PEFT.replace("\"modules_to_save\": null", "\"modules_to_save\": [\"lm_head\"]"), fine));
        String[][] settings = {
            {"\"bias\": \"none\"", "\"bias\": \"lora_only\"", "bias is lora_only", "none"},
            {"\"lora_bias\": false", "\"lora_bias\": true", "lora_bias is true", "false"},
            {"\"layer_replication\": null", "\"layer_replication\": [[0, 4], [2, 5]]",
                "layer_replication is [[0, 4], [2, 5]]", "null"},
            {"\"megatron_config\": null", "\"megatron_config\": {}", "megatron_config is {}", "null"},
            {"\"revision\": null", "\"target_parameters\": [\"w\"]", "target_parameters is [w]", "null"},
            {"\"revision\": null", "\"trainable_token_indices\": [1]", "trainable_token_indices is [1]", "null"},
            {"\"revision\": null", "\"alora_invocation_tokens\": [1]", "alora_invocation_tokens is [1]", "null"},
            {"\"revision\": null", "\"use_qalora\": true", "use_qalora is true", "false"},
            {"\"revision\": null", "\"arrow_config\": {}", "arrow_config is {}", "null"}
        };
        for (String[] s : settings) {
            refused("read: " + s[2] + ", which is not supported; DIR/adapter_config.json; expected " + s[3],
                    adapter(PEFT.replace(s[0], s[1]), fine));
        }
        for (String start : new String[] {"pissa", "pissa_niter_4", "olora", "loftq"}) {
            refused("read: init_lora_weights is " + start
                    + ", whose base is not the model's own; DIR/adapter_config.json;"
                    + " expected an adapter that was converted when it was saved, by"
                    + " path_initial_model_for_weight_conversion",
                    adapter(PEFT.replace("\"init_lora_weights\": true", "\"init_lora_weights\": \"" + start + "\""),
                            fine));
        }
        LoraAdapter.open(adapter(
                PEFT.replace("\"init_lora_weights\": true", "\"init_lora_weights\": \"gaussian\""), fine));
        for (String name : new String[] {"m.lora_magnitude_vector", "lm_head.weight", "m.bias", "m.lora_embedding_B"}) {
            refused("read: not a factor of a linear layer; DIR/adapter_model.safetensors:base_model.model." + name
                    + "; expected base_model.model.MODULE.lora_A.weight and .lora_B.weight",
                    adapter(PEFT, Map.of("base_model.model." + name, new long[] {5})));
        }
        refused("read: shape [2, 5, 3, 3] is not of rank 2, which adapter_config.json names;"
                + " DIR/adapter_model.safetensors:base_model.model.c.lora_A.weight; expected (2, in)",
                adapter(PEFT, new LinkedHashMap<>(Map.of("base_model.model.c.lora_A.weight", new long[] {2, 5, 3, 3},
                        "base_model.model.c.lora_B.weight", new long[] {6, 2, 1, 1}))));
        refused("read: r is 0; DIR/adapter_config.json; expected a whole number from 1",
                adapter(PEFT.replace("\"r\": 2", "\"r\": 0"), fine));
        refused("read: lora_alpha is null; DIR/adapter_config.json; expected a number",
                adapter(PEFT.replace("\"lora_alpha\": 16", "\"lora_alpha\": null"), fine));
        refused("read: use_rslora is 1; DIR/adapter_config.json; expected true or false",
                adapter(PEFT.replace("\"use_rslora\": false", "\"use_rslora\": 1"), fine));
        refused("read: rank_pattern of v_proj is 1.5; DIR/adapter_config.json; expected a whole number from 1",
                adapter(PEFT.replace("{\"v_proj\": 4}", "{\"v_proj\": 1.5}"), fine));
        refused("read: rank_pattern is []; DIR/adapter_config.json; expected an object of modules and numbers",
                adapter(PEFT.replace("{\"v_proj\": 4}", "[]"), fine));
        refused("read: alpha_pattern has '(', which is no regular expression; DIR/adapter_config.json; expected names of"
                + " modules", adapter(PEFT.replace("{\"v_proj\": 8}", "{\"(\": 8}"), fine));
        refused("read: not a factor of a linear layer; DIR/adapter_model.safetensors:base_model.model.m.lora_embedding_A;"
                + " expected base_model.model.MODULE.lora_A.weight and .lora_B.weight",
                adapter(PEFT, Map.of("base_model.model.m.lora_embedding_A", new long[] {2, 5})));
        fine.remove("base_model.model.m.lora_B.weight");
        refused("read: its partner is missing; DIR/adapter_model.safetensors:base_model.model.m.lora_A.weight; expected"
                + " base_model.model.m.lora_B.weight", adapter(PEFT, fine));
        refused("read: shape [3, 5] is not of rank 2, which adapter_config.json names;"
                + " DIR/adapter_model.safetensors:base_model.model.m.lora_A.weight; expected (2, in)",
                adapter(PEFT, layer("m", 6, 5, 3)));
        Path none = adapter("null", fine);
        refused("read: file is no JSON object; DIR/adapter_config.json; expected an object of named values", none);
        Path twice = adapter("{\"r\": 1, \"r\": 2}", fine);
        assertTrue(assertThrows(FormatException.class, () -> LoraAdapter.open(twice)).getMessage().contains(
                "Duplicate field 'r'"));
    }

    // ---- from checkpoints --------------------------------------------------------------------------------------------

    /** Weights, norms and integers; the tuned one differs by a matrix of rank 3 and something smaller. */
    private static Map<String, Tensor> model(Scope s, DType t, boolean tuned) {
        Map<String, Tensor> all = new TreeMap<>();
        long[][] shapes = {{24, 16}, {16, 24}, {20, 20}};
        for (int i = 0; i < shapes.length; i++) {
            long m = shapes[i][0];
            long n = shapes[i][1];
            Tensor w = s.normal(DType.F64, SEED + i, m, n);
            if (tuned && i < 2) {
                w = w.add(s.normal(DType.F64, SEED + 10, m, 3).matmul(s.normal(DType.F64, SEED + 11, 3, n)).mul(0.1))
                        .add(s.normal(DType.F64, SEED + 12, m, n).mul(0.003));
            }
            all.put("layers." + i + ".proj.weight", w.to(t));
        }
        all.put("norm.weight", s.full(t, tuned ? 1.5 : 1, 16));
        all.put("steps", s.full(DType.I64, tuned ? 2 : 1, 1));
        all.put("same", s.ones(t, 3));
        return all;
    }

    private Path file(String name, Map<String, Tensor> tensors) {
        Path f = dir.resolve(name);
        TensorFiles.write(f, tensors, Map.of("format", "pt"));
        return f;
    }

    /** Two files and an index. */
    private Path sharded(String name, Map<String, Tensor> tensors) throws Exception {
        Path d = Files.createDirectory(dir.resolve(name));
        Map<String, Tensor> first = new TreeMap<>();
        Map<String, Tensor> second = new TreeMap<>();
        StringBuilder map = new StringBuilder();
        tensors.forEach((n, t) -> {
            boolean one = (first.size() + second.size()) % 2 == 0;
            (one ? first : second).put(n, t);
            map.append(map.isEmpty() ? "" : ", ").append('"').append(n).append("\": \"model-0000").append(one ? 1 : 2)
                    .append("-of-00002.safetensors\"");
        });
        TensorFiles.write(d.resolve("model-00001-of-00002.safetensors"), first);
        TensorFiles.write(d.resolve("model-00002-of-00002.safetensors"), second);
        Files.writeString(d.resolve("model.safetensors.index.json"),
                "{\"metadata\": {\"total_size\": 1}, \"weight_map\": {" + map + "}}");
        return d;
    }

    private static void merge(Scope s, Checkpoint base, LoraAdapter adapter, Path out) {
        Map<String, LazyTensor> replaced = new LinkedHashMap<>();
        for (String module : adapter.modules()) {
            TensorEntry e = base.entries().get(LoraAdapter.weight(module));
            replaced.put(e.name(), new LazyTensor(e.dtype(), e.shape(),
                    inner -> adapter.merged(inner, module, base.read(inner, e.name()), false)));
        }
        base.copyTo(out, s.device(), replaced);
    }

    @DeviceSpec
    void extractedAndMergedIsTheTunedOne(Device device) throws Exception {
        String id = device.name().replace(':', '-');
        for (DType t : new DType[] {DType.F32, DType.F64, DType.BF16}) {
            try (Scope s = device.open()) {
                String name = id + t;
                Checkpoint base = Checkpoint.open(sharded("base" + name, model(s, t, false)));
                Checkpoint tuned = Checkpoint.open(file("tuned" + name + ".safetensors", model(s, t, true)));
                for (LoraExtract how : new LoraExtract[] {
                    LoraExtract.ofRank(3), LoraExtract.ofRank(100), LoraExtract.ofEnergy(0.99),
                    new LoraExtract(3, Double.NaN, 4),
                    new LoraExtract(0, 0.99, 4)
                }) {
                    List<String> seen = new ArrayList<>();
                    LoraExtract.Result r = how.run(device, base, tuned, m -> true, l -> seen.add(l.module()));
                    assertEquals(List.of("layers.0.proj", "layers.1.proj", "layers.2.proj"),
                            seen.stream().sorted().toList());
                    assertEquals("[norm.weight, steps]",
                            r.leftOut().stream().map(LoraExtract.LeftOut::name).sorted().toList().toString());
                    Map<String, LoraPair> pairs = new TreeMap<>();
                    Map<String, Long> ranks = new TreeMap<>();
                    for (LoraExtract.Layer l : r.layers()) {
                        if (l.module().equals("layers.2.proj")) {
                            assertEquals(0, l.rank());
                            continue;
                        }
                        long expected = how.rank() == 100 ? 16 : 3;
                        assertEquals(expected, l.rank(), l.module() + " " + how);
                        assertEquals(l.predicted(), l.measured(), 1e-5 + 1e-3 * l.predicted());
                        pairs.put(l.module(), l.pair());
                        ranks.put(l.module(), l.rank());
                    }
                    Path adapterAt = dir.resolve("adapter" + name + how.hashCode());
                    LoraAdapter.write(adapterAt, LoraConfig.ofRanks(ranks, false), pairs);
                    Path merged = dir.resolve("merged" + name + how.hashCode());
                    merge(s, base, LoraAdapter.open(adapterAt), merged);
                    Checkpoint back = Checkpoint.open(merged);
                    assertEquals(base.entries().keySet(), back.entries().keySet());
                    for (LoraExtract.Layer l : r.layers()) {
                        String weight = LoraAdapter.weight(l.module());
                        Tensor x = back.read(s, weight).to(DType.F64);
                        Tensor y = tuned.read(s, weight).to(DType.F64);
                        assertEquals(t, back.entries().get(weight).dtype());
                        double error = Linalg.norm(x.sub(y)).item();
                        double rounding = (t == DType.BF16 ? 0x1p-9 : t == DType.F32 ? 0x1p-22 : 1e-14)
                                * l.weightNorm();
                        assertEquals(l.measured() * l.deltaNorm(), error, rounding + 1e-3 * error,
                                l.module() + " " + how);
                    }
                    assertArrayEquals(base.read(s, "norm.weight").toDoubleArray(),
                            back.read(s, "norm.weight").toDoubleArray());
                    assertArrayEquals(base.read(s, "steps").toLongArray(), back.read(s, "steps").toLongArray());
                }
            }
        }
    }

    @DeviceSpec
    void targetsAndDifferences(Device device) {
        String id = device.name().replace(':', '-');
        try (Scope s = device.open()) {
            Map<String, Tensor> one = model(s, DType.F32, false);
            Map<String, Tensor> two = model(s, DType.F32, true);
            two.put("layers.1.proj.weight", s.ones(3, 3));
            two.put("new", s.ones(1));
            one.put("old", s.ones(1));
            Checkpoint base = Checkpoint.open(file("one" + id + ".safetensors", one));
            Checkpoint tuned = Checkpoint.open(file("two" + id + ".safetensors", two));
            LoraExtract.Result r = LoraExtract.ofRank(2).run(device, base, tuned, m -> m.startsWith("layers.2"),
                    l -> {});
            assertEquals(1, r.layers().size());
            Map<String, String> why = new TreeMap<>();
            r.leftOut().forEach(l -> why.put(l.name(), l.why()));
            assertEquals(
                    "{layers.0.proj.weight=not among the targets, layers.1.proj.weight=F32 [16, 24] became F32 [3, 3],"
                            + " new=not in the base checkpoint, norm.weight=not the matrix of a module,"
                            + " old=not in the tuned checkpoint, steps=not the matrix of a module}",
                    why.toString());
        }
        assertEquals("lora extract: rank is 0; it counts from 1; use for example 16",
                assertThrows(GramianException.class, () -> LoraExtract.ofRank(0)).getMessage());
        assertEquals("lora extract: energy is 1.5; it is a share; use above 0 to 1, such as 0.9",
                assertThrows(GramianException.class, () -> LoraExtract.ofEnergy(1.5)).getMessage());
    }

    /** 24 layers of 1 MiB: what is live at a time is a few of them. */
    @DeviceSpec
    void layerByLayer(Device device) throws Exception {
        String id = device.name().replace(':', '-');
        if (device.name().startsWith("cuda")) {
            return; // its peak is that of the pool; the same code runs
        }
        Path baseAt = dir.resolve("base" + id + ".safetensors");
        Path tunedAt = dir.resolve("tuned" + id + ".safetensors");
        long layer = 4L * 512 * 512;
        for (boolean tuned : new boolean[] {false, true}) {
            Map<String, LazyTensor> all = new TreeMap<>();
            for (int i = 0; i < 24; i++) {
                long seed = i;
                all.put("h." + i + ".weight", new LazyTensor(DType.F32, Shape.of(512, 512), s -> {
                    Tensor w = s.normal(DType.F32, seed, 512, 512);
                    return tuned ? w.add(s.normal(DType.F32, 99, 512, 2).matmul(s.normal(DType.F32, 98, 2, 512))) : w;
                }));
            }
            TensorFiles.write(tuned ? tunedAt : baseAt, device, all, Map.of());
        }
        assertEquals(0, device.liveBytes());
        device.resetPeak();
        try (Scope s = device.open()) {
            Checkpoint base = Checkpoint.open(baseAt);
            LoraExtract.Result r = new LoraExtract(2, Double.NaN, 16)
                    .run(device, base, Checkpoint.open(tunedAt), m -> true, l -> {});
            Map<String, LoraPair> pairs = new TreeMap<>();
            r.layers().forEach(l -> {
                assertTrue(l.measured() < 1e-3, l.toString());
                pairs.put(l.module(), l.pair());
            });
            Path at = dir.resolve("adapter" + id);
            LoraAdapter.write(at, new LoraConfig(2, 2, false, new ArrayList<>(pairs.keySet())), pairs);
            merge(s, base, LoraAdapter.open(at), dir.resolve("merged" + id + ".safetensors"));
        }
        assertTrue(device.peakBytes() < 10 * layer, device.peakBytes() / (double) layer + " layers at a time, of 24");
        assertEquals(Files.size(tunedAt), Files.size(dir.resolve("merged" + id + ".safetensors")));
    }
}
