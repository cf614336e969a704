package dev.gramian.io;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gramian.spec.Seed;
import dev.gramian.core.FormatException;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Damaged files give a one-line error or a tensor whose every byte can be read; never anything else. */
final class FuzzTest {
    private static final long SEED = Seed.VALUE;
    private static final int ROUNDS = 600;

    @TempDir
    Path dir;

    @ParameterizedTest
    @ValueSource(strings = {
        "cube.npy", "fortran_be.npy", "b1.npy", "version3.npy", "odd_header.npy",
        "stored.npz", "deflated.npz", "all.safetensors", "other.safetensors"
    })
    void damagedFilesGiveTheCleanError(String name) throws IOException {
        byte[] whole = Files.readAllBytes(Golden.file(name));
        Path file = dir.resolve(name);
        int[] outcomes = new int[2];
        assertTimeoutPreemptively(Duration.ofSeconds(60), () -> {
            for (int round = 0; round < ROUNDS; round++) {
                byte[] damaged = damage(whole, new Random(SEED + round));
                Files.write(file, damaged);
                try {
                    read(file, outcomes);
                } catch (Throwable t) {
                    throw new AssertionError(name + ": -Dgramian.seed=" + (SEED + round) + " round 0: " + t, t);
                }
            }
        });
        assertTrue(outcomes[0] > 0, "some files stay readable");
        assertTrue(outcomes[1] > ROUNDS / 10, "many files are refused: " + outcomes[1]);
    }

    private static void read(Path file, int[] outcomes) {
        try {
            TensorFile f = TensorFiles.open(file);
            for (TensorEntry e : f.entries()) {
                try {
                    HostTensor t = TensorFiles.load(f, e);
                    long bytes = t.layout().size() * t.dtype().bytes();
                    assertTrue(t.data().bytes().byteSize() == bytes);
                    for (long i = 0; i < bytes; i++) {
                        t.data().bytes().get(ValueLayout.JAVA_BYTE, i);
                    }
                    t.data().onFree().run();
                    outcomes[0]++;
                } catch (FormatException x) {
                    clean(x);
                    outcomes[1]++;
                }
            }
        } catch (FormatException x) {
            clean(x);
            outcomes[1]++;
        }
    }

    private static void clean(FormatException x) {
        assertTrue(x.getMessage().startsWith("read: "), x.getMessage());
        assertTrue(x.getMessage().split("; ").length >= 3, x.getMessage());
        assertFalse(x.getMessage().chars().anyMatch(Character::isISOControl), x.getMessage());
        assertTrue(x.getMessage().length() < 1500, x.getMessage());
    }

    private static byte[] damage(byte[] whole, Random r) {
        byte[] b = whole.clone();
        // most damage goes where the structure is: the first bytes of npy and safetensors, the last of zip files
        int from = switch (r.nextInt(4)) {
            case 0 -> 0;
            case 1 -> Math.max(0, b.length - 600);
            default -> r.nextInt(Math.max(1, b.length / 4));
        };
        int span = Math.min(b.length - from, r.nextBoolean() ? 64 : 600);
        for (int hits = 1 + r.nextInt(3); hits > 0; hits--) {
            int at = from + r.nextInt(span);
            switch (r.nextInt(8)) {
                case 0, 1 -> b[at] ^= (byte) (1 << r.nextInt(8));
                case 2 -> b[at] = (byte) r.nextInt();
                case 3 -> { // another digit, bracket or quote
                    b[at] = (byte) "0123456789-+{}()[]<>|'\":,.eLTF \\\0\n".charAt(r.nextInt(34));
                }
                case 4 -> { // extreme numbers
                    long[] odd = {-1, 0, 1, Long.MAX_VALUE, Long.MIN_VALUE, 0xFFFFFFFFL, 0x7FFFFFFFL, r.nextLong()};
                    if (at + 8 <= b.length) {
                        ByteBuffer.wrap(b).order(ByteOrder.LITTLE_ENDIAN).putLong(at, odd[r.nextInt(odd.length)]);
                    }
                }
                case 5 -> { // a longer number in the text
                    for (int i = 0; i < 12 && at + i < b.length; i++) {
                        b[at + i] = (byte) ('0' + r.nextInt(10));
                    }
                }
                case 6 -> { // bytes from elsewhere
                    int n = Math.min(r.nextInt(40), b.length - at);
                    System.arraycopy(whole, r.nextInt(b.length - n + 1), b, at, n);
                }
                default -> { // nothing: leaves the length changes below alone at times
                }
            }
        }
        return switch (r.nextInt(8)) {
            case 0 -> Arrays.copyOf(b, r.nextInt(b.length + 1));
            case 1 -> Arrays.copyOf(b, b.length + 1 + r.nextInt(100));
            case 2 -> { // a piece cut out
                int at = r.nextInt(b.length);
                int n = r.nextInt(Math.min(100, b.length - at) + 1);
                byte[] c = Arrays.copyOf(b, b.length - n);
                System.arraycopy(b, at + n, c, at, b.length - at - n);
                yield c;
            }
            default -> b;
        };
    }
}
