package dev.gramian.nn;

import java.util.Map;

/**
 * Whole models by plain loops in F64, straight from their formulas and the tensors as files name them: one sequence, no
 * cache, no code of the library.
 */
final class Float64 {
    private final Map<String, double[]> w;

    Float64(Map<String, double[]> weights) {
        this.w = weights;
    }

    private double[] get(String name) {
        double[] v = w.get(name);
        if (v == null) {
            throw new AssertionError("no " + name + " among " + w.keySet());
        }
        return v;
    }

    /** x (n, in) times the weight (out, in) transposed, plus the bias where there is one. */
    static double[][] linear(double[][] x, double[] weight, double[] bias) {
        int in = x[0].length;
        int out = weight.length / in;
        double[][] y = new double[x.length][out];
        for (int r = 0; r < x.length; r++) {
            for (int o = 0; o < out; o++) {
                double sum = bias == null ? 0 : bias[o];
                for (int i = 0; i < in; i++) {
                    sum += x[r][i] * weight[o * in + i];
                }
                y[r][o] = sum;
            }
        }
        return y;
    }

    private double[][] linear(double[][] x, String name) {
        return linear(x, get(name + ".weight"), w.get(name + ".bias"));
    }

    /** As GPT-2 stores it, (in, out). */
    private double[][] conv1d(double[][] x, String name) {
        double[] stored = get(name + ".weight");
        int in = x[0].length;
        int out = stored.length / in;
        double[] turned = new double[stored.length];
        for (int i = 0; i < in; i++) {
            for (int o = 0; o < out; o++) {
                turned[o * in + i] = stored[i * out + o];
            }
        }
        return linear(x, turned, get(name + ".bias"));
    }

    static double[][] layerNorm(double[][] x, double[] weight, double[] bias, double eps) {
        double[][] y = new double[x.length][x[0].length];
        for (int r = 0; r < x.length; r++) {
            double mean = 0;
            for (double v : x[r]) {
                mean += v / x[r].length;
            }
            double var = 0;
            for (double v : x[r]) {
                var += (v - mean) * (v - mean) / x[r].length;
            }
            for (int i = 0; i < x[r].length; i++) {
                y[r][i] = (x[r][i] - mean) / Math.sqrt(var + eps) * weight[i] + bias[i];
            }
        }
        return y;
    }

    static double[][] rmsNorm(double[][] x, double[] weight, double eps) {
        double[][] y = new double[x.length][x[0].length];
        for (int r = 0; r < x.length; r++) {
            double square = 0;
            for (double v : x[r]) {
                square += v * v / x[r].length;
            }
            for (int i = 0; i < x[r].length; i++) {
                y[r][i] = x[r][i] / Math.sqrt(square + eps) * weight[i];
            }
        }
        return y;
    }

    static double silu(double x) {
        return x / (1 + Math.exp(-x));
    }

    static double geluTanh(double x) {
        return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    }

    /** By erf's power series, which converges everywhere; enough terms for what models of unit size meet. */
    static double gelu(double x) {
        double z = x / Math.sqrt(2);
        double term = z;
        double sum = z;
        for (int n = 1; n < 200; n++) {
            term *= -z * z / n;
            sum += term / (2 * n + 1);
        }
        return 0.5 * x * (1 + 2 / Math.sqrt(Math.PI) * sum);
    }

    interface Function {
        double of(double x);
    }

    static double[][] map(double[][] x, Function f) {
        double[][] y = new double[x.length][x[0].length];
        for (int r = 0; r < x.length; r++) {
            for (int i = 0; i < x[r].length; i++) {
                y[r][i] = f.of(x[r][i]);
            }
        }
        return y;
    }

    static double[][] add(double[][] a, double[][] b) {
        double[][] y = new double[a.length][a[0].length];
        for (int r = 0; r < a.length; r++) {
            for (int i = 0; i < a[r].length; i++) {
                y[r][i] = a[r][i] + b[r][i];
            }
        }
        return y;
    }

    static double[][] mul(double[][] a, double[][] b) {
        double[][] y = new double[a.length][a[0].length];
        for (int r = 0; r < a.length; r++) {
            for (int i = 0; i < a[r].length; i++) {
                y[r][i] = a[r][i] * b[r][i];
            }
        }
        return y;
    }

    /** q (n, heads * d), k and v (n, keyHeads * d); {@code causal}: position i sees 0 to i. */
    static double[][] attention(double[][] q, double[][] k, double[][] v, int heads, int keyHeads, boolean causal) {
        int n = q.length;
        int d = q[0].length / heads;
        double[][] y = new double[n][heads * d];
        for (int h = 0; h < heads; h++) {
            int g = h / (heads / keyHeads);
            for (int i = 0; i < n; i++) {
                int seen = causal ? i + 1 : n;
                double[] s = new double[seen];
                double max = Double.NEGATIVE_INFINITY;
                for (int j = 0; j < seen; j++) {
                    for (int c = 0; c < d; c++) {
                        s[j] += q[i][h * d + c] * k[j][g * d + c] / Math.sqrt(d);
                    }
                    max = Math.max(max, s[j]);
                }
                double sum = 0;
                for (int j = 0; j < seen; j++) {
                    s[j] = Math.exp(s[j] - max);
                    sum += s[j];
                }
                for (int j = 0; j < seen; j++) {
                    for (int c = 0; c < d; c++) {
                        y[i][h * d + c] += s[j] / sum * v[j][g * d + c];
                    }
                }
            }
        }
        return y;
    }

    /** Row p at position p: channel i of a head turns with channel i + d/2. */
    static double[][] rotateHalves(double[][] x, int heads, double[] frequencies, double factor) {
        double[][] y = new double[x.length][x[0].length];
        int d = x[0].length / heads;
        for (int p = 0; p < x.length; p++) {
            for (int h = 0; h < heads; h++) {
                for (int i = 0; i < d / 2; i++) {
                    int a = h * d + i;
                    int b = a + d / 2;
                    double cos = factor * Math.cos(p * frequencies[i]);
                    double sin = factor * Math.sin(p * frequencies[i]);
                    y[p][a] = x[p][a] * cos - x[p][b] * sin;
                    y[p][b] = x[p][b] * cos + x[p][a] * sin;
                }
            }
        }
        return y;
    }

    private double[][] rows(String name, int features, long... ids) {
        double[] all = get(name);
        double[][] y = new double[ids.length][features];
        for (int r = 0; r < ids.length; r++) {
            System.arraycopy(all, (int) ids[r] * features, y[r], 0, features);
        }
        return y;
    }

    private static long[] firsts(int n) {
        long[] p = new long[n];
        for (int i = 0; i < n; i++) {
            p[i] = i;
        }
        return p;
    }

    // ---- models ------------------------------------------------------------------------------------------------------

    /** Logits (n, vocabulary) of a Llama. */
    double[][] llama(
            String prefix, int hidden, int layers, int heads, int keyHeads, double eps, double[] frequencies,
            double factor, boolean tied, long... ids) {
        double[][] x = rows(prefix + "embed_tokens.weight", hidden, ids);
        for (int i = 0; i < layers; i++) {
            x = llamaBlock(prefix + "layers." + i + ".", x, heads, keyHeads, eps, frequencies, factor);
        }
        x = rmsNorm(x, get(prefix + "norm.weight"), eps);
        return linear(x, get(tied ? prefix + "embed_tokens.weight" : "lm_head.weight"), null);
    }

    double[][] llamaBlock(
            String b, double[][] x, int heads, int keyHeads, double eps, double[] frequencies, double factor) {
        double[][] n = rmsNorm(x, get(b + "input_layernorm.weight"), eps);
        double[][] q = rotateHalves(linear(n, b + "self_attn.q_proj"), heads, frequencies, factor);
        double[][] k = rotateHalves(linear(n, b + "self_attn.k_proj"), keyHeads, frequencies, factor);
        double[][] v = linear(n, b + "self_attn.v_proj");
        double[][] h = add(x, linear(attention(q, k, v, heads, keyHeads, true), b + "self_attn.o_proj"));
        double[][] m = rmsNorm(h, get(b + "post_attention_layernorm.weight"), eps);
        double[][] gate = map(linear(m, b + "mlp.gate_proj"), Float64::silu);
        return add(h, linear(mul(gate, linear(m, b + "mlp.up_proj")), b + "mlp.down_proj"));
    }

    /** Logits (n, vocabulary) of a GPT-2 with tied embeddings. */
    double[][] gpt2(String prefix, int hidden, int layers, int heads, double eps, long... ids) {
        double[][] x = add(rows(prefix + "wte.weight", hidden, ids),
                rows(prefix + "wpe.weight", hidden, firsts(ids.length)));
        for (int i = 0; i < layers; i++) {
            x = gpt2Block(prefix + "h." + i + ".", x, heads, eps);
        }
        x = layerNorm(x, get(prefix + "ln_f.weight"), get(prefix + "ln_f.bias"), eps);
        return linear(x, get(prefix + "wte.weight"), null);
    }

    double[][] gpt2Block(String b, double[][] x, int heads, double eps) {
        int f = x[0].length;
        double[][] all = conv1d(layerNorm(x, get(b + "ln_1.weight"), get(b + "ln_1.bias"), eps), b + "attn.c_attn");
        double[][] y = attention(columns(all, 0, f), columns(all, f, f), columns(all, 2 * f, f), heads, heads, true);
        double[][] h = add(x, conv1d(y, b + "attn.c_proj"));
        double[][] m = layerNorm(h, get(b + "ln_2.weight"), get(b + "ln_2.bias"), eps);
        return add(h, conv1d(map(conv1d(m, b + "mlp.c_fc"), Float64::geluTanh), b + "mlp.c_proj"));
    }

    private static double[][] columns(double[][] x, int from, int count) {
        double[][] y = new double[x.length][count];
        for (int r = 0; r < x.length; r++) {
            System.arraycopy(x[r], from, y[r], 0, count);
        }
        return y;
    }

    /** States (n, features) of a BERT; {@code scale} and {@code shift} are what layer norms call their parameters. */
    double[][] bert(
            String prefix, int hidden, int layers, int heads, double eps, String scale, String shift, long[] ids,
            long[] types) {
        String e = prefix + "embeddings.";
        double[][] x = add(rows(e + "word_embeddings.weight", hidden, ids),
                add(rows(e + "position_embeddings.weight", hidden, firsts(ids.length)),
                        rows(e + "token_type_embeddings.weight", hidden, types)));
        x = layerNorm(x, get(e + "LayerNorm." + scale), get(e + "LayerNorm." + shift), eps);
        for (int i = 0; i < layers; i++) {
            x = bertBlock(prefix + "encoder.layer." + i + ".", x, heads, eps, scale, shift);
        }
        return x;
    }

    double[][] bertBlock(String b, double[][] x, int heads, double eps, String scale, String shift) {
        double[][] y = attention(linear(x, b + "attention.self.query"), linear(x, b + "attention.self.key"),
                linear(x, b + "attention.self.value"), heads, heads, false);
        String n = b + "attention.output.LayerNorm.";
        double[][] h = layerNorm(add(x, linear(y, b + "attention.output.dense")), get(n + scale), get(n + shift), eps);
        double[][] m = linear(map(linear(h, b + "intermediate.dense"), Float64::gelu), b + "output.dense");
        n = b + "output.LayerNorm.";
        return layerNorm(add(h, m), get(n + scale), get(n + shift), eps);
    }

    /** tanh of the product with the first state. */
    double[] pool(String prefix, double[][] states) {
        return map(linear(new double[][] {states[0]}, prefix + "pooler.dense"), Math::tanh)[0];
    }
}
