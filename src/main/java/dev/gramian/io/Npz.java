package dev.gramian.io;

import dev.gramian.core.DType;
import dev.gramian.core.FormatException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.Inflater;
import java.util.zip.InflaterInputStream;
import java.util.zip.ZipException;

/**
 * A NumPy {@code .npz} file: a zip of npy members, stored ({@code numpy.savez}, mapped in place) or deflated
 * ({@code numpy.savez_compressed}, inflated into memory and held against their checksum). Names are given without the
 * {@code .npy} of the members. The checksum of a stored member is not verified: that would read all of it.
 * {@link FormatException} for anything damaged.
 */
public final class Npz extends TensorFile {
    /** Deflate cannot do better: 258 bytes for 2 bits. */
    private static final long BEST_RATIO = 1032;

    private static final String SUFFIX = ".npy";

    private final Map<String, ZipDirectory.Member> members;

    private Npz(Path path, List<TensorEntry> entries, Map<String, ZipDirectory.Member> members) {
        super(path, entries);
        this.members = members;
    }

    /** Reads and checks the directory and the header of every member. */
    public static Npz open(Path path) {
        try (FileBytes file = FileBytes.open(path)) {
            Map<String, ZipDirectory.Member> members = new HashMap<>();
            List<TensorEntry> entries = new ArrayList<>();
            for (ZipDirectory.Member m : ZipDirectory.read(file)) {
                String name = m.name().endsWith(SUFFIX)
                        ? m.name().substring(0, m.name().length() - SUFFIX.length())
                        : m.name();
                if (members.put(name, m) != null) {
                    throw file.place().bad("two members are named '" + Place.shown(name) + "', with and without .npy",
                            m.offset(), "each name once");
                }
                entries.add(entry(file, name, m));
            }
            return new Npz(path, entries, members);
        }
    }

    /** A member that cannot be read spoils only itself: it is listed with its problem. */
    private static TensorEntry entry(FileBytes file, String name, ZipDirectory.Member m) {
        Place place = file.place().member(name);
        long start = m.method() == ZipDirectory.STORED ? m.offset() : -1;
        try (InputStream in = stream(file, m, place)) {
            return TensorEntry.of(name, NpyHeader.read(in, m.size(), place), start, place);
        } catch (FormatException e) {
            return TensorEntry.unreadable(name, start, m.size(), e.getMessage());
        } catch (IOException e) {
            return TensorEntry.unreadable(name, start, m.size(), damaged(e, place).getMessage());
        }
    }

    /** Also finds {@code name.npy}. */
    @Override
    public TensorEntry entry(String name) {
        boolean suffixed = name != null && name.endsWith(SUFFIX) && !members.containsKey(name);
        return super.entry(suffixed ? name.substring(0, name.length() - SUFFIX.length()) : name);
    }

    @Override
    HostTensor load(TensorEntry entry) {
        ZipDirectory.Member m = members.get(entry.name());
        try (FileBytes file = FileBytes.open(path())) {
            Place place = file.place().member(entry.name());
            if (m.offset() + m.packed() > file.size()) {
                throw place.bad("file has changed since it was opened", "the same file");
            }
            if (m.method() == ZipDirectory.STORED && !m.encrypted()) {
                return Npy.load(file, Npy.header(file, m.offset(), m.size(), place), m.offset(), place);
            }
            return inflate(file, m, place);
        }
    }

    private static HostTensor inflate(FileBytes file, ZipDirectory.Member m, Place place) {
        HostBytes data = null;
        try (Checked in = new Checked(stream(file, m, place))) {
            NpyHeader h = NpyHeader.read(in, m.size(), place);
            DType dtype = h.dtype(place);
            data = HostBytes.allocate(h.dataBytes(), place);
            byte[] piece = new byte[1 << 16];
            for (long at = 0; at < h.dataBytes();) {
                int n = in.read(piece, 0, (int) Math.min(piece.length, h.dataBytes() - at));
                if (n < 0) {
                    throw place.bad("data is cut off", h.dataOffset() + at, m.size() + " bytes once inflated");
                }
                MemorySegment.copy(piece, 0, data.bytes(), ValueLayout.JAVA_BYTE, at, n);
                at += n;
            }
            while (in.count <= m.size() && in.read(piece, 0, piece.length) >= 0) {
                // bytes after the elements count for the checksum
            }
            if (in.count != m.size()) {
                throw place.bad(
                        "member inflates to " + (in.count < m.size() ? "only " + in.count : "more") + " bytes",
                        m.size() + " bytes, as the directory says");
            }
            if (in.crc.getValue() != m.crc()) {
                throw place.bad(String.format("checksum is %08x", in.crc.getValue()),
                        String.format("%08x, as the directory says: the file is damaged", m.crc()));
            }
            HostBytes filled = data;
            data = null; // from here on asNative sees to it
            return new HostTensor(dtype, h.layout(), filled.asNative(dtype, h.type().order(), place));
        } catch (IOException e) {
            throw damaged(e, place);
        } finally {
            if (data != null) {
                data.onFree().run();
            }
        }
    }

    /** The member's bytes, unpacked. */
    private static InputStream stream(FileBytes file, ZipDirectory.Member m, Place place) {
        if (m.encrypted()) {
            throw place.bad("member is encrypted", "a plain member");
        }
        InputStream packed = file.stream(m.offset(), m.packed());
        return switch (m.method()) {
            case ZipDirectory.STORED -> packed;
            case ZipDirectory.DEFLATED -> {
                if (m.size() / BEST_RATIO > m.packed()) {
                    throw place.bad("member of " + m.packed() + " packed bytes claims " + m.size(), m.offset(),
                            "at most " + BEST_RATIO + " times as many, the best deflate can do");
                }
                yield new Inflating(packed, new Inflater(true));
            }
            default ->
                throw place.bad("member is packed by zip method " + m.method(), "0 (stored) or 8 (deflated)");
        };
    }

    private static FormatException damaged(IOException e, Place place) {
        return e instanceof ZipException || e instanceof EOFException
                ? place.bad("compressed data is damaged", "a deflate stream")
                : place.failed(e);
    }

    /** Frees the inflater's native memory, which its stream leaves alone when it was given one. */
    private static final class Inflating extends InflaterInputStream {
        Inflating(InputStream in, Inflater inflater) {
            super(in, inflater, 1 << 16);
        }

        @Override
        public void close() throws IOException {
            inf.end();
            super.close();
        }
    }

    /** Counts and sums what passes. */
    private static final class Checked extends InputStream {
        private final InputStream in;
        private final CRC32 crc = new CRC32();
        private long count;

        Checked(InputStream in) {
            this.in = in;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            int n = in.read(into, offset, length);
            if (n > 0) {
                crc.update(into, offset, n);
                count += n;
            }
            return n;
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }
}
