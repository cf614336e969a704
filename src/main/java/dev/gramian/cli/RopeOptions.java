package dev.gramian.cli;

import dev.gramian.attention.RopeScaling;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How {@code rope} reaches lengths beyond those of training, by the names of Hugging Face's configuration. */
final class RopeOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    /** {@code rope_type}, with the options each needs and may have. */
    enum Type {
        DEFAULT("", ""),
        LINEAR("--factor", ""),
        /** A fixed factor of the base; not in Hugging Face's list. */
        NTK("--factor", ""),
        DYNAMIC("--factor --original-max-position-embeddings", ""),
        YARN("--factor --original-max-position-embeddings", "--attention-factor --beta-fast --beta-slow"),
        LLAMA3("--factor --original-max-position-embeddings --low-freq-factor --high-freq-factor", ""),
        LONGROPE(
                "--factor --original-max-position-embeddings --short-factor --long-factor",
                "--attention-factor");

        private final List<String> needed;
        private final List<String> allowed;

        Type(String needed, String more) {
            this.needed = words(needed);
            allowed = new ArrayList<>(this.needed);
            allowed.addAll(words(more));
        }

        private static List<String> words(String text) {
            return text.isEmpty() ? List.of() : Arrays.asList(text.split(" "));
        }
    }

    static final class Types extends Choices<Type> {
        Types() {
            super(Type.values());
        }
    }

    @Option(names = "--rope-type", paramLabel = "TYPE", completionCandidates = Types.class, converter = Types.class,
            defaultValue = "default",
            description = "Scaling for lengths beyond those of training: ${COMPLETION-CANDIDATES}.")
    private Type type;

    @Option(names = "--factor", paramLabel = "X", description = "How many times longer; of all types but default.")
    private Double factor;

    @Option(names = "--original-max-position-embeddings", paramLabel = "N",
            description = "Length of training; of dynamic, yarn, llama3 and longrope.")
    private Long oldLength;

    @Option(names = "--attention-factor", paramLabel = "X",
            description = "Factor of cos and sin; of yarn and longrope, which have one of their own.")
    private Double attentionFactor;

    @Option(names = "--beta-fast", paramLabel = "X", description = "Of yarn. Default: 32.")
    private Double betaFast;

    @Option(names = "--beta-slow", paramLabel = "X", description = "Of yarn. Default: 1.")
    private Double betaSlow;

    @Option(names = "--low-freq-factor", paramLabel = "X", description = "Of llama3; 1 in Llama 3.1.")
    private Double low;

    @Option(names = "--high-freq-factor", paramLabel = "X", description = "Of llama3; 4 in Llama 3.1.")
    private Double high;

    @Option(names = "--short-factor", paramLabel = "F",
            description = "Of longrope, one per pair of channels: numbers like 1,1.5, or a file.")
    private String shortFactors;

    @Option(names = "--long-factor", paramLabel = "F", description = "Of longrope beyond the length of training.")
    private String longFactors;

    RopeScaling scaling(Session s) {
        return switch (type) {
            case DEFAULT -> new RopeScaling.None();
            case LINEAR -> new RopeScaling.Linear(factor);
            case NTK -> new RopeScaling.Ntk(factor);
            case DYNAMIC -> new RopeScaling.DynamicNtk(factor, oldLength);
            case YARN -> new RopeScaling.Yarn(factor, oldLength, fast(), slow(), attentionFactor);
            case LLAMA3 -> new RopeScaling.Llama3(factor, low, high, oldLength);
            case LONGROPE ->
                new RopeScaling.LongRope(Numbers.real(s, shortFactors), Numbers.real(s, longFactors), factor,
                        oldLength, attentionFactor);
        };
    }

    private double fast() {
        return betaFast == null ? 32 : betaFast;
    }

    private double slow() {
        return betaSlow == null ? 1 : betaSlow;
    }

    /** Refuses what the type lacks or does not have. */
    void check() {
        Map<String, Object> given = new LinkedHashMap<>();
        given.put("--factor", factor);
        given.put("--original-max-position-embeddings", oldLength);
        given.put("--attention-factor", attentionFactor);
        given.put("--beta-fast", betaFast);
        given.put("--beta-slow", betaSlow);
        given.put("--low-freq-factor", low);
        given.put("--high-freq-factor", high);
        given.put("--short-factor", shortFactors);
        given.put("--long-factor", longFactors);
        String name = Choices.name(type);
        given.forEach((option, value) -> {
            if (value == null && type.needed.contains(option)) {
                throw new ParameterException(spec.commandLine(), "--rope-type " + name + " needs " + option);
            }
            if (value != null && !type.allowed.contains(option)) {
                throw new ParameterException(
                        spec.commandLine(), option + " does not go with --rope-type " + name);
            }
        });
    }

    // ---- the same once more, for the check: as transformers' modeling_rope_utils computes it --------------------------

    /** Radians per position of each pair. */
    double[] frequencies(Session s, long rotary, double base, long length) {
        double[] f = new double[Math.toIntExact(rotary / 2)];
        double[] own = type == Type.LONGROPE
                ? Numbers.real(s, length > oldLength ? longFactors : shortFactors)
                : null;
        double reach = type == Type.YARN ? Math.max(0, Math.floor(turning(fast(), rotary, base))) : 0;
        double end = type == Type.YARN ? Math.min(rotary - 1, Math.ceil(turning(slow(), rotary, base))) : 0;
        for (int i = 0; i < f.length; i++) {
            double plain = 1 / Math.pow(base, 2.0 * i / rotary);
            f[i] = switch (type) {
                case DEFAULT -> plain;
                case LINEAR -> plain / factor;
                case NTK -> stretched(base, factor, i, rotary);
                case DYNAMIC -> {
                    double longer = (double) Math.max(length, oldLength) / oldLength;
                    yield stretched(base, factor * longer - (factor - 1), i, rotary);
                }
                case YARN -> {
                    double ramp = (i - reach) / (reach == end ? 0.001 : end - reach);
                    double kept = 1 - Math.max(0, Math.min(1, ramp));
                    yield plain / factor * (1 - kept) + plain * kept;
                }
                case LLAMA3 -> {
                    double wave = 2 * Math.PI / plain;
                    double smooth = (oldLength / wave - low) / (high - low);
                    yield wave > oldLength / low
                            ? plain / factor
                            : wave < oldLength / high ? plain : (1 - smooth) * plain / factor + smooth * plain;
                }
                case LONGROPE -> plain / own[i];
            };
        }
        return f;
    }

    private static double stretched(double base, double by, int i, long rotary) {
        return i == 0 ? 1 : 1 / Math.pow(base * Math.pow(by, rotary / (rotary - 2.0)), 2.0 * i / rotary);
    }

    private double turning(double turns, long rotary, double base) {
        return rotary * Math.log(oldLength / (turns * 2 * Math.PI)) / (2 * Math.log(base));
    }

    /** Factor of cos and sin. */
    double attentionFactor() {
        if (attentionFactor != null) {
            return attentionFactor;
        }
        return switch (type) {
            case YARN -> 0.1 * Math.log(factor) + 1;
            case LONGROPE -> factor > 1 ? Math.sqrt(1 + Math.log(factor) / Math.log(oldLength)) : 1;
            default -> 1;
        };
    }
}
