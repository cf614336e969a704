package dev.gramian.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;

class OpenBlasCoreTest {
    private static String cpu(String vendor, int family, String flags) {
        return "processor\t: 0\nvendor_id\t: " + vendor + "\ncpu family\t: " + family
                + "\nmodel\t\t: 2\nflags\t\t: fpu "
                + flags + "\n\nprocessor\t: 1\n";
    }

    private static final String WIDE = "avx2 avx512f avx512dq avx512ifma avx512cd avx512bw avx512vl avx512_bf16";

    @Test
    void namesACoreOnlyWhereOpenBlasIsWrong() {
        assertEquals("SkylakeX", OpenBlasCore.wanted(cpu("AuthenticAMD", 26, WIDE)));
        assertNull(OpenBlasCore.wanted(cpu("AuthenticAMD", 25, WIDE)), "Zen 4 is known");
        assertNull(OpenBlasCore.wanted(cpu("AuthenticAMD", 26, "avx2")), "no wide vectors");
        assertNull(OpenBlasCore.wanted(cpu("GenuineIntel", 26, WIDE)));
        assertNull(OpenBlasCore.wanted("CPU implementer\t: 0x41\n"));
    }
}
