package dev.gramian.linalg;

import dev.gramian.Scope;
import dev.gramian.Tensor;
import dev.gramian.core.SvdMode;

/**
 * The polar decomposition a = u p of (..., m, n), from {@link Linalg#polar}: u (..., m, n) has orthonormal columns, or rows
 * where m &lt; n, and is the nearest such matrix to a; p (..., n, n) is symmetric and positive semidefinite.
 */
public record Polar(Tensor u, Tensor p) {

    static Polar of(Tensor a) {
        try (Scope s = Scope.inner("polar", a.device())) {
            Tensor[] parts = Linalg.decompose("polar", a, SvdMode.THIN);
            Tensor vt = parts[2];
            Tensor half = vt.transpose(-2, -1).mul(parts[1].unsqueeze(-2)).matmul(vt);
            // the two triangles differ by rounding
            Tensor p = half.mul(0.5).add(half.transpose(-2, -1).mul(0.5));
            return new Polar(s.keep(parts[0].matmul(vt)), s.keep(p));
        }
    }
}
