package dev.gramian.core;

/** Bytes on one device, owned by one {@link Lifetime}. Backends extend it with an address. */
public abstract class Storage {
    private final long bytes;
    private volatile Lifetime lifetime;

    protected Storage(long bytes) {
        this.bytes = bytes;
    }

    public final long bytes() {
        return bytes;
    }

    /** The life of the owner; null only before the storage is handed to one. */
    public final Lifetime lifetime() {
        return lifetime;
    }

    /** Hands the bytes to another owner; called by the owning thread only. */
    public final void ownedBy(Lifetime owner) {
        this.lifetime = owner;
    }
}
