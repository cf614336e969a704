package dev.gramian.nn;

import dev.gramian.attention.Rope;
import dev.gramian.attention.RopeLayout;
import dev.gramian.attention.RopeScaling;
import dev.gramian.io.JsonConfig;

/** Rotary embedding as Hugging Face's {@code config.json} describes it. */
final class RopeConfig {
    private RopeConfig() {}

    /** {@code rope_parameters} of newer files has all in one, older ones have {@code rope_scaling} beside the base. */
    static Rope rope(JsonConfig config, long headSize) {
        JsonConfig all = config.has("rope_parameters") ? config.object("rope_parameters") : config;
        JsonConfig scaling = config.has("rope_parameters")
                ? all
                : config.has("rope_scaling") ? config.object("rope_scaling") : null;
        double base = all.number("rope_theta", config.number("rope_theta", 10000));
        double part = all.number("partial_rotary_factor", config.number("partial_rotary_factor", 1));
        long rotary = (long) (headSize * part);
        return new Rope(RopeLayout.HALF_SPLIT, headSize, rotary, base,
                scaling == null ? new RopeScaling.None() : scaling(config, scaling));
    }

    private static RopeScaling scaling(JsonConfig config, JsonConfig s) {
        String type = s.text("rope_type", s.text("type", "default"));
        return switch (type) {
            case "default" -> new RopeScaling.None();
            case "linear" -> new RopeScaling.Linear(s.number("factor"));
            case "dynamic" -> new RopeScaling.DynamicNtk(s.number("factor"), oldLength(config, s));
            case "llama3" -> new RopeScaling.Llama3(s.number("factor"), s.number("low_freq_factor"),
                    s.number("high_freq_factor"), s.count("original_max_position_embeddings"));
            case "yarn" -> yarn(config, s);
            case "longrope" -> {
                double factor = oldLength(config, s) < config.count("max_position_embeddings")
                        ? (double) config.count("max_position_embeddings") / oldLength(config, s)
                        : s.number("factor", 1);
                yield new RopeScaling.LongRope(s.numbers("short_factor"), s.numbers("long_factor"), factor,
                        oldLength(config, s), attention(s));
            }
            default -> throw s.bad("rope type is '" + type + "'",
                    "default, linear, dynamic, yarn, longrope or llama3");
        };
    }

    private static RopeScaling yarn(JsonConfig config, JsonConfig s) {
        if (!s.flag("truncate", true)) {
            throw s.bad("YaRN's truncate is false", "true: a ramp that begins and ends at whole pairs");
        }
        double factor = s.number("factor");
        Double attention = attention(s);
        if (attention == null && s.number("mscale", 0) != 0 && s.number("mscale_all_dim", 0) != 0) {
            attention = (0.1 * s.number("mscale") * Math.log(factor) + 1)
                    / (0.1 * s.number("mscale_all_dim") * Math.log(factor) + 1);
        }
        return new RopeScaling.Yarn(factor, oldLength(config, s), s.number("beta_fast", 32), s.number("beta_slow", 1),
                attention);
    }

    private static Double attention(JsonConfig s) {
        return s.has("attention_factor") ? (Double) s.number("attention_factor") : null;
    }

    private static long oldLength(JsonConfig config, JsonConfig s) {
        String key = "original_max_position_embeddings";
        return s.has(key)
                ? s.count(key)
                : config.has(key) ? config.count(key) : config.count("max_position_embeddings");
    }
}
