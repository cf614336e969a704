import dev.gramian.*;
import dev.gramian.attention.Attention;
import dev.gramian.core.DType;
import dev.gramian.linalg.Linalg;

class Quickstart {
    public static void main(String[] args) {
        try (Scope s = Device.best().open()) { // the scope owns what is computed in it, and frees it at the end
            Tensor q = s.normal(DType.F32, 1, 2, 12, 128, 64); // seed 1; batch, heads, tokens, head size
            Tensor k = s.normal(DType.F32, 2, 2, 12, 128, 64);
            Tensor v = s.normal(DType.F32, 3, 2, 12, 128, 64);
            Tensor scores = q.matmul(k.transpose(-2, -1)).div(8).softmax(-1); // step by step ...
            Tensor y = Attention.scaled().causal().apply(q, k, v).output(); // ... or as one call, here causal
            Tensor values = Linalg.svd(y.select(0, 0).select(0, 0)).s();
            System.out.println(scores.shape() + " " + y.shape() + " " + values.shape());
        }
    }
}
