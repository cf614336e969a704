import dev.gramian.*;
import dev.gramian.core.DType;
import dev.gramian.core.GramianException;
import dev.gramian.io.TensorFiles;
import dev.gramian.nn.Decoder;
import dev.gramian.nn.DecoderCache;
import dev.gramian.nn.Pretrained;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/** Continues a prompt with a Llama checkpoint as Hugging Face keeps it. Ids in, ids out: tokenisers are another matter. */
class Generate {
    private static final String USAGE = """
            usage: Generate DIRECTORY [--prompt 1,2,3] [--tokens 20] [--temperature 0] [--top-k 0] [--seed 1] [--stop ID]
                                      [--device auto] [--dtype F32]
                   Generate --make DIRECTORY     makes a small checkpoint of random weights
            DIRECTORY holds config.json and model.safetensors, or shards with their index. Temperature 0 takes the
            likeliest id; others draw from the top-k likeliest (0: from all), the same for the same seed.""";

    /** Ids of the prompt that pass through the model at a time: what bounds the memory for it. */
    private static final int PIECE = 256;

    public static void main(String[] args) throws IOException {
        Map<String, String> options = options(args);
        try {
            if (args.length == 2 && args[0].equals("--make")) {
                make(Path.of(args[1]));
            } else if (options == null) {
                System.err.println(USAGE);
            } else {
                run(Path.of(args[0]), options);
            }
        } catch (GramianException | IllegalArgumentException e) {
            System.err.println(e.getMessage());
        }
    }

    private static void run(Path directory, Map<String, String> options) {
        long[] prompt = Arrays.stream(options.getOrDefault("--prompt", "1,2,3").split(","))
                .mapToLong(Long::parseLong).toArray();
        int count = Integer.parseInt(options.getOrDefault("--tokens", "20"));
        long stop = Long.parseLong(options.getOrDefault("--stop", "-1"));
        Sampler sampler = new Sampler(Double.parseDouble(options.getOrDefault("--temperature", "0")),
                Integer.parseInt(options.getOrDefault("--top-k", "0")),
                new SplittableRandom(Long.parseLong(options.getOrDefault("--seed", "1"))));
        Device device = Device.of(options.getOrDefault("--device", "auto"));
        // the scope of the model: it owns weights, rotations and cache
        try (Scope scope = device.open()) {
            Decoder model = Pretrained.llama(scope, directory,
                    DType.valueOf(options.getOrDefault("--dtype", "F32")));
            System.err.println(model + " on " + device);
            long start = System.nanoTime();
            long[] made = generate(scope, model, prompt, count, sampler, stop);
            double seconds = (System.nanoTime() - start) / 1e9;
            System.out.println(Arrays.stream(made).mapToObj(Long::toString).collect(Collectors.joining(" ")));
            System.err.printf("%d ids after %d in %.2f s, %.1f a second%n", made.length, prompt.length, seconds,
                    made.length / seconds);
        }
    }

    /** Pairs of name and value after the directory; null where they are not that. */
    private static Map<String, String> options(String[] args) {
        Map<String, String> options = new LinkedHashMap<>();
        for (int i = 1; i + 1 < args.length; i += 2) {
            options.put(args[i], args[i + 1]);
        }
        boolean known = options.keySet().stream().allMatch(o -> USAGE.contains("[" + o + " "));
        return args.length % 2 == 1 && known ? options : null;
    }

    // ---- generating --------------------------------------------------------------------------------------------------

    /** Up to {@code count} ids after the prompt, none after {@code stop}. */
    static long[] generate(Scope scope, Decoder model, long[] prompt, int count, Sampler sampler, long stop) {
        LongStream.Builder made = LongStream.builder();
        try (DecoderCache cache = model.cache(scope, 1, prompt.length + count)) {
            long[] ids = prompt;
            for (int n = 0; n < count; n++) {
                long next = step(model, cache, ids, sampler);
                made.add(next);
                if (next == stop) {
                    break;
                }
                ids = new long[] {next};
            }
        }
        return made.build().toArray();
    }

    /** Passes ids through the model, whose cache keeps what later ones need of them, and chooses the next one. */
    private static long step(Decoder model, DecoderCache cache, long[] ids, Sampler sampler) {
        for (int at = 0;; at += PIECE) {
            // frees what a piece computes; the cache's memory belongs to the outer scope
            try (Scope s = Scope.inner("step", model.tokens().weight().device())) {
                int n = Math.min(PIECE, ids.length - at);
                Tensor piece = s.tensor(Arrays.copyOfRange(ids, at, at + n), 1, n);
                Tensor states = model.states(piece, UnaryOperator.identity(), cache);
                if (at + n == ids.length) {
                    // of all positions only the last one's logits matter
                    return sampler.choose(model.head().apply(states.select(0, 0).select(0, n - 1)));
                }
            }
        }
    }

    /** Temperature 0 takes the likeliest id; topK 0 stands for all. */
    record Sampler(double temperature, int topK, SplittableRandom random) {
        Sampler {
            if (!(temperature >= 0 && temperature < Double.POSITIVE_INFINITY) || topK < 0) {
                throw new IllegalArgumentException("temperature is " + temperature + ", top-k " + topK
                        + "; give finite numbers of 0 or more");
            }
        }

        /** An index of logits (vocabulary). */
        long choose(Tensor logits) {
            if (temperature == 0) {
                return logits.argMax(0).itemLong();
            }
            long k = topK == 0 ? logits.dim(0) : Math.min(topK, logits.dim(0));
            Indexing.Ranked best = Indexing.topK(logits.to(DType.F32), k, 0);
            double[] p = best.values().div(temperature).softmax(0).toDoubleArray();
            double left = random.nextDouble();
            int i = 0;
            while (i < p.length - 1 && left >= p[i]) {
                left -= p[i++];
            }
            return best.indices().select(0, i).itemLong();
        }
    }

    // ---- a checkpoint to try it with ---------------------------------------------------------------------------------

    /** Two blocks, four heads of which two have keys, 101 ids; random, so that what it says means nothing. */
    static void make(Path directory) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("config.json"), """
                {"model_type": "llama", "vocab_size": 101, "hidden_size": 64, "intermediate_size": 176,
                 "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "hidden_act": "silu",
                 "max_position_embeddings": 512, "rms_norm_eps": 1e-05, "rope_theta": 10000.0,
                 "tie_word_embeddings": false}
                """);
        try (Scope s = Device.cpu().open()) {
            Map<String, Tensor> all = new LinkedHashMap<>();
            matrix(s, all, "model.embed_tokens", 101, 64);
            for (int i = 0; i < 2; i++) {
                String block = "model.layers." + i + ".";
                all.put(block + "input_layernorm.weight", s.ones(64));
                matrix(s, all, block + "self_attn.q_proj", 64, 64);
                matrix(s, all, block + "self_attn.k_proj", 32, 64);
                matrix(s, all, block + "self_attn.v_proj", 32, 64);
                matrix(s, all, block + "self_attn.o_proj", 64, 64);
                all.put(block + "post_attention_layernorm.weight", s.ones(64));
                matrix(s, all, block + "mlp.gate_proj", 176, 64);
                matrix(s, all, block + "mlp.up_proj", 176, 64);
                matrix(s, all, block + "mlp.down_proj", 64, 176);
            }
            all.put("model.norm.weight", s.ones(64));
            matrix(s, all, "lm_head", 101, 64);
            TensorFiles.write(directory.resolve("model.safetensors"), all, Map.of("format", "pt"));
        }
    }

    /** Seeded by its number, of a size that keeps the size of what it is applied to. */
    private static void matrix(Scope s, Map<String, Tensor> all, String name, long out, long in) {
        all.put(name + ".weight", s.normal(DType.F32, all.size(), out, in).div(Math.sqrt(in)));
    }
}
