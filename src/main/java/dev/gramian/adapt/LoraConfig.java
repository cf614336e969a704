package dev.gramian.adapt;

import dev.gramian.core.FormatException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * What PEFT's {@code adapter_config.json} says of a LoRA adapter: the scale is alpha / r, or alpha / √r where {@code rsLora}
 * (Kalajdzievski 2023). {@code ranks} and {@code alphas} hold what differs by module, by a name or the end of one, which may
 * be a regular expression; of several that match the first counts, as in PEFT. Weights lie as (in, out) where
 * {@code fanInFanOut}.
 */
public record LoraConfig(
        long rank,
        double alpha,
        boolean rsLora,
        boolean fanInFanOut,
        Map<String, Long> ranks,
        Map<String, Double> alphas,
        List<String> targets,
        String baseModel) {

    public LoraConfig {
        ranks = Collections.unmodifiableMap(new LinkedHashMap<>(ranks)); // in order
        alphas = Collections.unmodifiableMap(new LinkedHashMap<>(alphas));
        targets = List.copyOf(targets);
    }

    /** One rank and alpha for all of these modules. */
    public LoraConfig(long rank, double alpha, boolean rsLora, List<String> targets) {
        this(rank, alpha, rsLora, false, Map.of(), Map.of(), targets, null);
    }

    /** A rank of its own for each module and a scale of 1 for all. */
    public static LoraConfig ofRanks(Map<String, Long> ranks, boolean fanInFanOut) {
        long most = ranks.values().stream().mapToLong(r -> r).max().orElse(1);
        boolean same = ranks.values().stream().allMatch(r -> r == most);
        // longer names first: a shorter one may be the end of them
        List<String> names = new ArrayList<>(same ? List.of() : ranks.keySet());
        names.sort(Comparator.comparingInt(String::length).reversed().thenComparing(Comparator.naturalOrder()));
        Map<String, Long> others = new LinkedHashMap<>();
        Map<String, Double> alphas = new LinkedHashMap<>();
        for (String name : names) {
            boolean end = names.stream().anyMatch(n -> n.length() <= name.length() && ranks.get(n) != most
                    && matches(n, name));
            if (ranks.get(name) != most || end) {
                others.put(name, ranks.get(name));
                alphas.put(name, (double) ranks.get(name));
            }
        }
        return new LoraConfig(most, most, false, fanInFanOut, others, alphas, new ArrayList<>(ranks.keySet()), null);
    }

    private static boolean matches(String pattern, String module) {
        return Pattern.matches("(.*\\.)?(" + pattern + ")", module);
    }

    public long rankOf(String module) {
        return of(ranks, module, rank);
    }

    /** The factor of b a in a module. */
    public double scaleOf(String module) {
        long r = rankOf(module);
        return of(alphas, module, alpha) / (rsLora ? Math.sqrt(r) : r);
    }

    private static <T> T of(Map<String, T> patterns, String module, T otherwise) {
        for (Map.Entry<String, T> e : patterns.entrySet()) {
            if (matches(e.getKey(), module)) {
                return e.getValue();
            }
        }
        return otherwise;
    }

    /** The object that PEFT reads. */
    Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("alpha_pattern", alphas);
        json.put("base_model_name_or_path", baseModel);
        json.put("bias", "none");
        json.put("fan_in_fan_out", fanInFanOut);
        json.put("inference_mode", true);
        json.put("init_lora_weights", true);
        json.put("lora_alpha", alpha == Math.rint(alpha) && Math.abs(alpha) < 1e9 ? (Object) (long) alpha : alpha);
        json.put("lora_dropout", 0.0);
        json.put("modules_to_save", null);
        json.put("peft_type", "LORA");
        json.put("r", rank);
        json.put("rank_pattern", ranks);
        json.put("target_modules", targets);
        json.put("task_type", null);
        json.put("use_dora", false);
        json.put("use_rslora", rsLora);
        return json;
    }

    /** {@code where} names the file in errors. */
    static LoraConfig of(Map<String, Object> json, String where) {
        Reader r = new Reader(json, where);
        r.only("peft_type", "LORA");
        r.only("use_dora", false, null);
        r.only("bias", "none", null);
        r.only("lora_bias", false, null);
        r.only("modules_to_save", null, List.of());
        r.only("megatron_config", (Object) null);
        r.only("layer_replication", (Object) null);
        r.only("target_parameters", null, List.of());
        r.only("trainable_token_indices", (Object) null);
        r.only("alora_invocation_tokens", (Object) null);
        r.only("use_qalora", false, null);
        r.only("arrow_config", (Object) null);
        r.ownBase();
        double rank = r.number("r", json.get("r"));
        if (rank < 1 || rank != Math.rint(rank)) {
            throw r.bad("r is " + json.get("r"), "a whole number from 1");
        }
        Map<String, Long> ranks = new LinkedHashMap<>();
        r.pattern("rank_pattern").forEach((name, v) -> ranks.put(name, (long) v.doubleValue()));
        List<String> targets = new ArrayList<>();
        if (json.get("target_modules") instanceof List<?> list) {
            list.forEach(t -> targets.add(String.valueOf(t)));
        } else if (json.get("target_modules") instanceof String one) {
            targets.add(one);
        }
        return new LoraConfig((long) rank, r.number("lora_alpha", json.get("lora_alpha")), r.flag("use_rslora"),
                r.flag("fan_in_fan_out"), ranks, r.pattern("alpha_pattern"), targets,
                json.get("base_model_name_or_path") instanceof String s ? s : null);
    }

    private record Reader(Map<String, Object> json, String where) {
        FormatException bad(String fact, String expected) {
            return new FormatException("read: " + fact + "; " + where + "; expected " + expected);
        }

        /** Settings that change what an adapter computes in ways that are not computed here. */
        void only(String key, Object... values) {
            Object v = json.get(key);
            for (Object allowed : values) {
                if (allowed == null ? v == null : allowed.equals(v)) {
                    return;
                }
            }
            throw bad(key + " is " + v + ", which is not supported", String.valueOf(values[0]));
        }

        /** Starts that take their part out of the base: what is saved then belongs to another base than is named. */
        void ownBase() {
            if (json.get("init_lora_weights") instanceof String s
                    && s.matches("(?i)(pissa|olora|corda|loftq|lora_ga).*")) {
                throw bad("init_lora_weights is " + s + ", whose base is not the model's own", "an adapter that was"
                        + " converted when it was saved, by path_initial_model_for_weight_conversion");
            }
        }

        double number(String key, Object v) {
            if (!(v instanceof Number n) || !Double.isFinite(n.doubleValue())) {
                throw bad(key + " is " + v, "a number");
            }
            return n.doubleValue();
        }

        boolean flag(String key) {
            Object v = json.get(key);
            if (v != null && !(v instanceof Boolean)) {
                throw bad(key + " is " + v, "true or false");
            }
            return v != null && (Boolean) v;
        }

        Map<String, Double> pattern(String key) {
            Map<String, Double> found = new LinkedHashMap<>();
            Object v = json.get(key);
            if (v == null) {
                return found;
            }
            if (!(v instanceof Map<?, ?> map)) {
                throw bad(key + " is " + v, "an object of modules and numbers");
            }
            map.forEach((name, n) -> {
                try {
                    Pattern.compile(name.toString());
                } catch (PatternSyntaxException e) {
                    throw bad(key + " has '" + name + "', which is no regular expression", "names of modules");
                }
                double number = number(key + " of " + name, n);
                if (key.equals("rank_pattern") && (number < 1 || number != Math.rint(number))) {
                    throw bad(key + " of " + name + " is " + n, "a whole number from 1");
                }
                found.put(name.toString(), number);
            });
            return found;
        }
    }
}
