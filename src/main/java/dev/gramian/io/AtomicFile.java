package dev.gramian.io;

import dev.gramian.core.FormatException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.zip.CRC32;

/**
 * A file that appears whole or not at all: written beside its place under another name, then renamed. After a failure
 * the old file is as it was and the new one is gone, also when the program is interrupted.
 */
final class AtomicFile {
    private static final long PIECE = 8L << 20;
    private static final Set<Path> UNFINISHED = ConcurrentHashMap.newKeySet();

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> UNFINISHED.forEach(AtomicFile::remove)));
    }

    @FunctionalInterface
    interface Body {
        void write(AtomicFile out) throws IOException;
    }

    private final FileChannel channel;
    private long at;

    private AtomicFile(FileChannel channel) {
        this.channel = channel;
    }

    static void write(Path file, Body body) {
        String name = Place.of(file).name();
        Path target = file;
        Path temporary = null;
        try {
            if (Files.isDirectory(file)) {
                throw new FormatException("write: is a directory; " + name + "; name a file");
            }
            if (Files.exists(file)) {
                if (!Files.isRegularFile(file)) {
                    throw new FormatException("write: not a regular file; " + name + "; name a file on disk");
                }
                // a link stays a link: what it points to is replaced
                target = Files.isSymbolicLink(file) ? file.toRealPath() : file;
            }
            Path directory = target.toAbsolutePath().getParent();
            if (directory == null || !Files.isDirectory(directory)) {
                throw new FormatException("write: no such directory; " + name + "; create it first");
            }
            temporary = directory.resolve("." + target.getFileName() + "."
                    + Long.toUnsignedString(ThreadLocalRandom.current().nextLong(), 36) + ".tmp");
            UNFINISHED.add(temporary);
            try (FileChannel channel = FileChannel.open(
                    temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                body.write(new AtomicFile(channel));
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            String fact = switch (e) {
                case AccessDeniedException _ -> "permission denied";
                case NoSuchFileException _ -> "no such directory";
                case ClosedByInterruptException _ -> "interrupted";
                default -> Place.reason(e);
            };
            throw new FormatException("write: " + fact + "; " + name + "; nothing was changed", e);
        } finally {
            if (temporary != null) {
                remove(temporary); // gone already if all went well
                UNFINISHED.remove(temporary);
            }
        }
    }

    private static void remove(Path temporary) {
        try {
            if (Files.exists(temporary, LinkOption.NOFOLLOW_LINKS)) {
                Files.delete(temporary);
            }
        } catch (IOException e) {
            // nothing more can be done; what failed first is reported
        }
    }

    /** Bytes written so far. */
    long position() {
        return at;
    }

    void write(byte[] bytes) throws IOException {
        write(ByteBuffer.wrap(bytes));
    }

    void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
    }

    /** All elements, piece by piece; {@code crc} may be null. */
    void write(Elements elements, CRC32 crc) throws IOException {
        long total = elements.bytes();
        try (Elements.Source source = elements.source()) {
            for (long done = 0; done < total;) {
                long n = Math.min(PIECE, total - done);
                MemorySegment piece = source.piece(done, n);
                if (crc != null) {
                    crc.update(piece.asByteBuffer());
                }
                write(piece.asByteBuffer());
                done += n;
            }
        }
    }

    /** Overwrites bytes written before. */
    void patch(long position, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            position += channel.write(bytes, position);
        }
    }
}
